//! Who is named while a lock goes from one process to the next, and how it stands. Each process writes down when it held, and
//! each look is judged by that afterwards.

mod support;

use std::fmt;
use std::time::{Duration, Instant};

use lockattr::{Holder, KnownBy, Lock, Standing, Tenure};
use nix::time::{clock_gettime, ClockId};
use nix::unistd::Uid;
use support::ledger::spin;
use support::numbers::Numbers;
use support::{
    become_user, on_each_backend, open, remove_record_of, say, unique_name, unique_tcp, Actor, LONG,
};

const WORKERS: usize = 3;
/// The most that a process writes down.
const HOLDS: u64 = 200_000;
/// What it writes of each: when it began to acquire, had the lock, gave it back, and had done so.
const TIMES: u64 = 4;

#[test]
fn role() {
    support::play(&[("work", work)]);
}

/// The clock that all processes share, in nanoseconds.
fn now() -> u64 {
    let time = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap());
    time.as_nanos().try_into().unwrap()
}

/// Takes the lock for moments, again and again.
fn work(argument: &str) {
    let [name, path, index, user] = argument.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (times, index) = (Numbers::open(path.as_ref()), index.parse::<u64>().unwrap());
    let user = user.parse().unwrap();
    if user != 0 {
        become_user(user);
    }
    let lock = open(name);
    say("ready");
    for hold in index * HOLDS..(index + 1) * HOLDS {
        let write = |time, value| times.set(hold * TIMES + time, value);
        write(0, now());
        let guard = lock.acquire(LONG).unwrap();
        write(1, now());
        spin(Duration::from_micros(hold * 7 % 20));
        write(2, now());
        drop(guard);
        write(3, now());
        // Some releases find a waiter, and after others the lock is free for a while.
        match Duration::from_micros(hold * 7919 % 300) {
            short if short < Duration::from_micros(200) => spin(short),
            long => std::thread::sleep(long),
        }
    }
}

/// A hold by a process, as that one has written it down.
#[derive(Debug)]
struct Hold {
    pid: u32,
    /// Before that it had it not: it began to acquire then, or another one held.
    earliest: u64,
    entered: u64,
    left: u64,
    /// After that it has it not.
    latest: u64,
}

/// All holds, in their order. What has not come yet comes later than all that has.
fn holds(times: &Numbers, pids: &[u32]) -> Vec<Hold> {
    const NEVER: u64 = u64::MAX;

    let of_one = |(index, &pid): (u64, &u32)| {
        let read = |hold| {
            [0, 1, 2, 3].map(|time| match times.get(hold * TIMES + time) {
                0 => NEVER,
                time => time,
            })
        };
        let all = (index * HOLDS..(index + 1) * HOLDS).map(read);
        let begun: Vec<_> = all.take_while(|[earliest, ..]| *earliest != NEVER).collect();
        begun.into_iter().map(move |[earliest, entered, left, latest]| Hold {
            pid,
            earliest,
            entered,
            left,
            latest,
        })
    };
    let mut holds: Vec<_> = (0..).zip(pids).flat_map(of_one).collect();
    holds.sort_by_key(|hold| hold.entered);
    let mut left = 0;
    for hold in &mut holds {
        hold.earliest = hold.earliest.max(left);
        // One that has not entered says nothing of who comes after it.
        left = if hold.entered == NEVER { left } else { hold.left };
    }
    holds
}

/// What a look has found, and when.
struct Look {
    from: u64,
    to: u64,
    found: Found,
}

enum Found {
    Locked(bool),
    Holder(Option<Holder>),
    Standing(Standing),
    Last(Option<Holder>),
}

impl Look {
    fn at(lock: &Lock, number: usize) -> Self {
        let from = now();
        let found = match number % 4 {
            0 => Found::Locked(lock.is_locked().unwrap()),
            1 => Found::Holder(lock.holder().unwrap()),
            2 => Found::Standing(lock.standing().unwrap()),
            _ => Found::Last(lock.last_holder().unwrap()),
        };
        Self { from, to: now(), found }
    }

    /// Whether that can have been so at some moment of the look. Nobody has died, has a copy, or is no lockattr.
    fn is_true(&self, holds: &[Hold]) -> bool {
        match &self.found {
            Found::Locked(locked) => *locked || self.may_be_free(holds),
            Found::Holder(None) => self.may_be_free(holds),
            Found::Holder(Some(holder)) => self.may_be_held_by(holder, holds),
            Found::Standing(Standing::Free { last, .. }) => {
                self.may_be_free(holds)
                    && last.as_ref().map_or(true, |last| last.tenure != Tenure::Died)
            }
            Found::Standing(Standing::Held { holder, .. }) => self.may_be_held_by(holder, holds),
            Found::Standing(_) => false,
            Found::Last(last) => last.as_ref().map_or(true, |last| last.tenure != Tenure::Died),
        }
    }

    /// Unless one has held it all the time.
    fn may_be_free(&self, holds: &[Hold]) -> bool {
        let before = holds[..holds.partition_point(|hold| hold.entered <= self.from)].last();
        before.map_or(true, |hold| hold.left < self.to)
    }

    fn may_be_held_by(&self, holder: &Holder, holds: &[Hold]) -> bool {
        let is_theirs = matches!(holder.tenure, Tenure::Holds | Tenure::OnItsWay)
            && holder.known_by != KnownBy::Text;
        // Nobody is named where it went on at each attempt to see by whom it is held.
        let Some(pid) = holder.pid else { return is_theirs };
        let during = |hold: &Hold| hold.earliest <= self.to && hold.latest >= self.from;
        is_theirs && holds.iter().any(|hold| hold.pid == pid && during(hold))
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Found::Locked(locked) => write!(f, "is_locked: {locked}"),
            Found::Holder(holder) => write!(f, "holder: {holder:?}"),
            Found::Standing(standing) => write!(f, "standing: {standing:?}"),
            Found::Last(last) => write!(f, "last_holder: {last:?}"),
        }
    }
}

/// `LOCKATTR_LOOK_SECONDS` sets for how long.
fn look(name: &str, users: [u32; WORKERS]) {
    let seconds: u64 = std::env::var("LOCKATTR_LOOK_SECONDS")
        .map_or(1, |seconds| seconds.parse().expect("a number"));
    let path = std::env::temp_dir().join(format!("lockattr-looks-{}", name.replace('/', "-")));
    let times = Numbers::create(&path, WORKERS * usize::try_from(HOLDS * TIMES).unwrap());
    let workers: Vec<_> = (0..)
        .zip(users)
        .map(|(index, user): (u64, u32)| {
            let argument = format!("{name} {} {index} {user}", path.display());
            let mut worker = Actor::start("work", &argument);
            worker.expect("ready");
            worker
        })
        .collect();

    let (lock, start, mut looks) = (open(name), Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_secs(seconds) {
        looks.push(Look::at(&lock, looks.len()));
    }
    let pids: Vec<_> = workers.iter().map(Actor::pid).collect();
    workers.into_iter().for_each(Actor::kill);
    let holds = holds(&times, &pids);
    std::fs::remove_file(&path).unwrap();
    let wrong: Vec<_> = looks.iter().filter(|look| !look.is_true(&holds)).collect();
    println!("{name}: {} holds, {} looks, {} wrong", holds.len(), looks.len(), wrong.len());
    if let Some(look) = wrong.first() {
        let near = holds.iter().filter(|hold| hold.latest + 1_000_000 > look.from);
        let near: Vec<_> = near.take_while(|hold| hold.earliest < look.to).collect();
        panic!(
            "{} of {} looks are wrong; the first one, from {} to {}, {look}, beside {near:#?}",
            wrong.len(),
            looks.len(),
            look.from,
            look.to
        );
    }
}

#[test]
fn who_is_named_has_held_during_the_look() {
    on_each_backend("looks", |name| look(name, [0; 3]));
}

/// Each user has a record of its own.
#[test]
fn who_is_named_of_several_users_has_held_during_the_look() {
    const USERS: [u32; 3] = [65_531, 65_532, 65_533];

    if !Uid::effective().is_root() {
        println!("skipped: needs root");
        return;
    }
    for name in [unique_name("looks-users"), unique_tcp("looks-users")] {
        look(&name, USERS);
        for user in USERS {
            remove_record_of(user.into(), &name);
        }
    }
}
