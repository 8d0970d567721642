//! Processes that are killed while they hold, wait, and pass the lock on.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use lockattr::Backend;
use nix::sys::signal::Signal;
use support::ledger::{spin, Entry, Ledger};
use support::{backend, eventually, listen, on_each_backend, open, say, waits, Actor, LONG};

#[test]
fn role() {
    support::play(&[("hold", hold), ("tell", tell), ("storm", storm)]);
}

fn hold(name: &str) {
    let _guard = open(name).acquire(LONG).unwrap();
    say("holding");
    listen();
}

#[test]
fn a_waiter_has_the_lock_at_once_after_its_holder_was_killed() {
    const ROUNDS: usize = 100;

    on_each_backend("killed", |name| {
        let limit = Duration::from_millis(match backend(name) {
            Backend::Port => 250,
            _ => 300,
        });
        let mut times: Vec<Duration> = (0..ROUNDS).map(|_| time_after_a_kill(name)).collect();
        times.sort_unstable();
        let late = times.iter().filter(|time| **time > limit).count();
        let (median, longest) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        println!("{name}: after a kill: median {median:?}, longest {longest:?}");
        // The machine may look elsewhere now and then; a lock that nobody recovers would always be
        // late.
        assert!(late <= ROUNDS / 20, "{late} of {ROUNDS} were late, the longest {longest:?}");
    });
}

fn time_after_a_kill(name: &str) -> Duration {
    let mut holder = Actor::start("hold", name);
    holder.expect("holding");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let guard = open(name).acquire(LONG).unwrap();
            let acquired = Instant::now();
            drop(guard);
            acquired
        });
        eventually("the thread waits", || waits(name, std::process::id()));
        let killed = Instant::now();
        holder.kill_now();
        waiter.join().unwrap().saturating_duration_since(killed)
    })
}

/// Waits for the lock, and tells whether it was recovered.
fn tell(name: &str) {
    let lock = open(name);
    say("waiting");
    let guard = lock.acquire(LONG).unwrap();
    say(&format!("recovered: {:?}", guard.recovered_from().and_then(|dead| dead.pid)));
}

#[test]
fn of_many_waiters_one_recovers_a_dead_holders_lock() {
    const WAITERS: usize = 8;

    on_each_backend("one-recovers", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut waiters: Vec<Actor> = (0..WAITERS).map(|_| Actor::start("tell", name)).collect();
        for waiter in &mut waiters {
            waiter.expect("waiting");
            eventually("the waiter waits", || waits(name, waiter.pid()));
        }
        let pid = holder.pid();
        holder.kill();
        let mut said: Vec<String> = waiters.iter_mut().map(Actor::hear).collect();
        said.sort();
        assert_eq!(said[0], "recovered: None");
        assert_eq!(said[WAITERS - 2], "recovered: None");
        assert_eq!(said[WAITERS - 1], format!("recovered: Some({pid})"));
    });
}

/// Takes the lock for ever, a few hundred microseconds at a time. Whoever finds somebody else inside
/// writes it down.
fn storm(path: &str) {
    let ledger = Ledger::open(path);
    let lock = open(path.rsplit('/').next().unwrap());
    // A socket that was closed may have a copy in a child that was just spawned.
    if lock.backend() == Backend::Port {
        thread::spawn(|| loop {
            std::process::Command::new("/bin/true").status().unwrap();
        });
    }
    say("ready");
    for round in 0.. {
        let guard = ledger.acquire(&lock);
        ledger.body(&guard, Duration::from_micros(100 + round % 7 * 30));
    }
}

/// `LOCKATTR_KILLS` sets the number of kills for each backend.
#[test]
fn a_storm_of_kills_stops_and_spawns_never_makes_two_holders_and_never_loses_the_lock() {
    const PROCESSES: usize = 6;
    let kills: usize =
        std::env::var("LOCKATTR_KILLS").map_or(500, |kills| kills.parse().expect("a number"));

    on_each_backend("storm", |name| {
        let path = std::env::temp_dir().join(name);
        let ledger = Ledger::create(&path);
        let start = || {
            let mut actor = Actor::start("storm", path.to_str().unwrap());
            actor.expect("ready");
            actor
        };
        let mut actors: Vec<Actor> = (0..PROCESSES).map(|_| start()).collect();
        // A small generator of its own, so that a run can be repeated.
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..kills {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            spin(Duration::from_micros(random % 900));
            let victim = usize::try_from(random >> 32).unwrap() % PROCESSES;
            let other = (victim + 1) % PROCESSES;
            actors[other].signal(Signal::SIGSTOP);
            actors[victim].kill_now();
            spin(Duration::from_micros(random % 300));
            actors[other].signal(Signal::SIGCONT);
            actors[victim] = start();
        }
        drop(actors);
        let guard = ledger.acquire(&open(name));
        ledger.body(&guard, Duration::ZERO);
        std::fs::remove_file(&path).unwrap();

        let [count, deaths, orphans] =
            [Entry::Acquisitions, Entry::Deaths, Entry::Orphans].map(|entry| ledger.get(entry));
        println!(
            "{name}: {kills} kills over {count} acquisitions; \
             {deaths} died in the body, {orphans} left the lock orphaned"
        );
        assert_eq!(ledger.get(Entry::Violations), 0, "two holders at once");
        assert_eq!(ledger.get(Entry::Unnoticed), 0, "deaths of which the next holder was not told");
        assert!(count > kills as u64, "only {count} acquisitions");
        assert!(orphans <= 1 + kills as u64 / 1_000, "{orphans} orphans");
        if backend(name) != Backend::Semaphore {
            assert_eq!(orphans, 0);
        }
    });
}
