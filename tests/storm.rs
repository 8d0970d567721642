//! A storm of stops, kills and futures that nobody polls, beside an observer that knows who holds.
//!
//! `LOCKATTR_STORM_SECONDS` sets how long it lasts, `LOCKATTR_STORM_SEED` repeats one.

#![cfg(feature = "async")]

mod support;

use std::path::Path;
use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::{block_on, poll_once};
use lockattr::{Holder, Lock, LockError, Tenure};
use nix::sys::signal::Signal;
use support::ledger::{spin, Entry, Ledger};
use support::{eventually, open, say, unique_name, Actor};

#[test]
fn role() {
    support::play(&[("storm", storm)]);
}

/// A small generator of its own, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % below
    }
}

/// Takes the lock for ever, in each way there is to take it and to give up.
fn storm(argument: &str) {
    let (path, seed) = argument.rsplit_once(' ').unwrap();
    let ledger = Ledger::open(path);
    let lock = open(path.rsplit('/').next().unwrap());
    let mut random = Random(seed.parse().unwrap());
    say("ready");
    // No longer than the storm: an actor ends with who started it.
    nix::unistd::alarm::cancel();
    loop {
        let timeout = Duration::from_micros(random.next(30_000));
        let acquired = match random.next(8) {
            0..=5 => lock.acquire(timeout),
            way => {
                let mut waiting = pin!(lock.acquire_async(timeout));
                if let Some(acquired) = block_on(poll_once(waiting.as_mut())) {
                    acquired
                } else {
                    // Not polled for a while, and then again, or dropped.
                    thread::sleep(Duration::from_micros(random.next(15_000)));
                    if way == 6 {
                        continue;
                    }
                    block_on(waiting)
                }
            }
        };
        match acquired {
            Ok(guard) => {
                ledger.body(&guard, Duration::from_micros(100 + random.next(3_000)));
                match random.next(16) {
                    0 => guard.abandon(),
                    _ => drop(guard),
                }
            }
            Err(LockError::Timeout { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// What stood in the ledger before a look and after it.
type Moment = (u64, u64);

fn moment(ledger: &Ledger) -> Moment {
    (ledger.get(Entry::Acquisitions), ledger.get(Entry::Inside))
}

/// Whether an observer was told a wrong name, if `holder` was told while the ledger did not change.
fn is_wrong((_, inside): Moment, holder: &Holder, actors: &[Actor]) -> bool {
    let runs = |pid: u32| actors.iter().any(|actor| actor.pid() == pid);
    if holder.pid.is_some_and(|pid| !runs(pid)) {
        return true; // it has been killed, or is the observer itself
    }
    // Where nobody is inside, or one that was killed there, another one is on the way.
    let inside = u32::try_from(inside).unwrap();
    runs(inside) && (holder.pid, holder.tenure) != (Some(inside), Tenure::Holds)
}

/// All run again: so does the lock.
fn end(ledger: &Ledger, actors: Vec<Actor>, lock: &Lock) {
    let count = ledger.get(Entry::Acquisitions);
    eventually("they go on", || ledger.get(Entry::Acquisitions) > count + 20);
    drop(actors);
    let guard = ledger.acquire(lock);
    ledger.body(&guard, Duration::ZERO);
}

#[test]
fn in_a_storm_of_stops_kills_and_unpolled_futures_nobody_meets_is_stuck_or_blamed() {
    const PROCESSES: usize = 5;
    /// So many looks of 20 ms: a busy machine may leave a process alone for a while.
    const PATIENCE: u32 = 10;

    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |number| number.parse().expect("a number"))
    };
    let length = Duration::from_secs(number("LOCKATTR_STORM_SECONDS", 5));
    let seed = number("LOCKATTR_STORM_SEED", std::process::id().into());
    println!("LOCKATTR_STORM_SEED={seed}");
    let mut random = Random(seed | 1 << 40);
    let name = unique_name("tempest");
    let path = std::env::temp_dir().join(&name);
    let ledger = Ledger::create(&path);
    let lock = open(&name);
    let start = |path: &Path, seed: u64| {
        let mut actor = Actor::start("storm", &format!("{} {seed}", path.display()));
        actor.expect("ready");
        actor
    };
    let mut actors: Vec<Actor> =
        (0..PROCESSES).map(|_| start(&path, random.next(u64::MAX) | 1)).collect();
    let mut stopped: Option<usize> = None;
    let (mut kills, mut stops, mut looks, mut judged) = (0, 0, 0, 0);
    let mut on_their_way = 0;
    let mut wrong = Vec::new();
    // Whom looks before named, while nobody was inside, and how many of them.
    let mut suspect: Option<(Moment, u32)> = None;
    let mut suspicions = 0;
    let begin = Instant::now();
    while begin.elapsed() < length {
        match random.next(4) {
            0 => {
                let victim = usize::try_from(random.next(PROCESSES as u64)).unwrap();
                kills += 1;
                if stopped == Some(victim) {
                    stopped = None;
                }
                let dead = std::mem::replace(&mut actors[victim], start(&path, seed + kills));
                dead.kill();
                // Who died in the body is inside no more. The next one in there finds that out.
            }
            1 if stopped.is_none() => {
                let victim = usize::try_from(random.next(PROCESSES as u64)).unwrap();
                actors[victim].signal(Signal::SIGSTOP);
                stops += 1;
                stopped = Some(victim);
            }
            _ => {
                if let Some(victim) = stopped.take() {
                    actors[victim].signal(Signal::SIGCONT);
                }
            }
        }
        // Now and then for long, so that somebody can become suspicious.
        let looks_now = if random.next(40) == 0 { 20 } else { random.next(6) };
        for _ in 0..looks_now {
            let before = moment(&ledger);
            let timeout = [0, 5, 20][usize::try_from(random.next(3)).unwrap()];
            let result = lock.acquire(Duration::from_millis(timeout));
            let after = moment(&ledger);
            looks += 1;
            let holder = match result {
                Ok(guard) => {
                    ledger.body(&guard, Duration::ZERO);
                    continue;
                }
                Err(LockError::Timeout { holder: Some(holder), .. }) if before == after => holder,
                Err(LockError::Timeout { .. }) => continue,
                Err(error) => panic!("{error}"),
            };
            judged += 1;
            on_their_way += u64::from(holder.tenure == Tenure::OnItsWay);
            if is_wrong(before, &holder, &actors) {
                wrong.push((before, holder.to_string()));
            }
            // One that runs and does not come into the body for long has let go of the lock.
            let is_stopped =
                stopped.is_some_and(|stopped| Some(actors[stopped].pid()) == holder.pid);
            let holds = holder.pid.filter(|_| holder.tenure == Tenure::Holds && !is_stopped);
            let now = holds.filter(|_| before.1 == 0 && timeout == 20).map(|pid| (before, pid));
            suspicions = if now.is_some() && now == suspect { suspicions + 1 } else { 0 };
            if suspicions >= PATIENCE {
                wrong.push((before, format!("{holder}, which has let go")));
            }
            suspect = now;
        }
        spin(Duration::from_micros(random.next(2_000)));
    }
    if let Some(victim) = stopped {
        actors[victim].signal(Signal::SIGCONT);
    }
    end(&ledger, actors, &lock);
    let _ = std::fs::remove_file(&path);
    let _ = std::fs::remove_file(format!("/dev/shm/lockattr.{}.{name}", nix::unistd::geteuid()));
    println!(
        "{} acquisitions, {kills} kills, {stops} stops, {looks} looks, {judged} of them judged, \
         {on_their_way} told of a lock on its way",
        ledger.get(Entry::Acquisitions)
    );
    assert_eq!(ledger.get(Entry::Violations), 0, "two holders at once");
    assert_eq!(ledger.get(Entry::Unnoticed), 0, "deaths of which the next holder was not told");
    assert!(wrong.is_empty(), "{} wrong names: {wrong:#?}", wrong.len());
    assert!(judged > 0 && kills > 0 && stops > 0);
}
