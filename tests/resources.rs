//! Descriptors, threads and memory: what happens when they are short, and that none is lost.

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use lockattr::{Cancel, Lock, LockError, LockGuard};
use support::{eventually, hold, is_timeout, listen, on_each_backend, open, say, unique_name};
use support::{waits_in_queue, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("starve", starve_of_descriptors),
        ("starve and hold", starve_and_hold),
        ("receive nothing", receive_without_descriptors),
        ("spawn", spawn_without_pause),
        ("leak", leak),
        ("many locks", many_locks),
        ("hand-offs", hand_many_over),
        ("give away", give_away_and_starve),
        ("no growth", let_no_file_grow),
    ]);
}

#[test]
fn a_lock_that_is_not_held_costs_no_descriptor() {
    let prefix = unique_name("many");
    let mut actor = Actor::start("many locks", &prefix);
    actor.expect("0");
    actor.end();
}

fn many_locks(name: &str) {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    let locks: Vec<Lock> = (0..500).map(|number| open(&format!("{name}-{number}"))).collect();
    for lock in &locks {
        drop(lock.acquire(LONG).unwrap());
    }
    say(&(descriptors() - before).to_string());
}

#[test]
fn locks_that_have_changed_hands_keep_a_few_connections_between_them() {
    let prefix = unique_name("handed");
    let mut actor = Actor::start("hand-offs", &prefix);
    let kept: usize = actor.hear().parse().unwrap();
    assert!(kept <= 4, "{kept} descriptors are kept");
    actor.end();
}

/// Says how many descriptors are left of hand-offs of many locks.
fn hand_many_over(name: &str) {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    for number in 0..100 {
        let lock = open(&format!("{name}-{number}"));
        let guard = lock.acquire(LONG).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| drop(lock.acquire(LONG).unwrap()));
            eventually("a waiter", || waits_in_queue(std::process::id()));
            drop(guard);
        });
        // No copy of its socket is left behind, in a message or elsewhere.
        drop(lock.try_acquire().unwrap());
        assert!(!lock.is_locked().unwrap());
    }
    say(&(descriptors() - before).to_string());
}

/// Gives a lock away, and acquires others with no descriptor but those that it keeps.
fn give_away_and_starve(name: &str) {
    let lock = open(name);
    let guard = lock.acquire(LONG).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| drop(lock.acquire(LONG).unwrap()));
        eventually("a waiter", || waits_in_queue(std::process::id()));
        drop(guard);
    });
    let files = exhaust_descriptors();
    let acquired = lock.acquire(LONG).map(drop);
    drop(files);
    say(&format!("{acquired:?}"));
}

#[test]
fn a_process_that_has_given_a_lock_away_acquires_by_the_descriptor_that_it_kept() {
    let name = unique_name("spent");
    let mut actor = Actor::start("give away", &name);
    actor.expect("Ok(())");
    actor.end();
}

/// Says what an acquire without a single free descriptor gives.
fn starve_of_descriptors(name: &str) {
    let lock = open(name);
    let files = exhaust_descriptors();
    match lock.acquire(LONG) {
        Err(LockError::Io { source, .. }) => {
            say(&format!("{}", source.raw_os_error() == Some(nix::libc::EMFILE)));
        }
        other => say(&format!("{other:?}")),
    }
    drop(files);
    drop(lock.acquire(LONG).unwrap());
    say("acquired");
}

/// Acquires where no file may grow, which would be a `SIGXFSZ`.
fn let_no_file_grow(name: &str) {
    use nix::sys::resource::{setrlimit, Resource};
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0).unwrap();
    match open(name).acquire(LONG) {
        Ok(_guard) => say("acquired"),
        Err(LockError::Io { source, .. }) => {
            say(&format!("{:?}", source.raw_os_error() == Some(nix::libc::EFBIG)));
        }
        Err(error) => say(&format!("{error:?}")),
    }
    listen();
}

#[test]
fn where_no_file_may_grow_a_port_works_and_a_semaphore_is_an_error() {
    on_each_backend("no-growth", |name| {
        let mut actor = Actor::start("no growth", name);
        let said = if support::backend(name) == lockattr::Backend::Semaphore {
            "true"
        } else {
            "acquired"
        };
        actor.expect(said);
        actor.end();
        // One that is there is used.
        drop(open(name).acquire(LONG).unwrap());
        let mut actor = Actor::start("no growth", name);
        actor.expect("acquired");
        actor.end();
    });
}

/// Finds out who it is when it has no descriptor left, and holds once it has some again.
fn starve_and_hold(name: &str) {
    let lock = open(name);
    let files = exhaust_descriptors();
    assert!(lock.acquire(LONG).is_err());
    drop(files);
    let _guard = lock.acquire(LONG).unwrap();
    say("holding");
    listen();
}

#[test]
fn a_process_that_was_short_of_descriptors_at_first_is_replaced_when_it_dies() {
    on_each_backend("starved", |name| {
        let mut holder = Actor::start("starve and hold", name);
        holder.expect("holding");
        let pid = holder.pid();
        holder.kill();
        let guard = open(name).acquire(Duration::from_secs(5)).unwrap();
        assert_eq!(guard.recovered_from().unwrap().pid, Some(pid));
    });
}

/// Is handed the lock when it has no descriptor left to receive it with.
fn receive_without_descriptors(name: &str) {
    let lock = open(name);
    say("waiting");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(LONG));
        eventually("the thread waits", || waits_in_queue(std::process::id()));
        let files = exhaust_descriptors();
        say("starved");
        let failed = waiter.join().unwrap();
        drop(files);
        match failed {
            Err(LockError::Io { source, .. }) => {
                say(&format!("{}", source.raw_os_error() == Some(nix::libc::EMFILE)));
            }
            other => say(&format!("{other:?}")),
        }
    });
    listen();
}

fn exhaust_descriptors() -> Vec<std::fs::File> {
    use nix::sys::resource::{setrlimit, Resource};
    setrlimit(Resource::RLIMIT_NOFILE, 256, 256).unwrap();
    std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect()
}

#[test]
fn without_a_descriptor_an_acquire_is_an_error_and_nothing_is_held() {
    let name = unique_name("emfile");
    let mut actor = Actor::start("starve", &name);
    actor.expect("true");
    actor.expect("acquired");
    actor.end();
}

#[test]
fn a_waiter_without_a_descriptor_for_the_lock_does_not_swallow_it() {
    let name = unique_name("ctrunc");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let mut actor = Actor::start("receive nothing", &name);
    actor.expect("waiting");
    actor.expect("starved");
    drop(guard);
    actor.expect("true");
    drop(lock.acquire(LONG).unwrap());
    actor.end();
}

/// Releases and tries again while another thread spawns processes without pause.
fn spawn_without_pause(name: &str) {
    let lock = open(name);
    let (done, spawned) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                Command::new("/bin/true").status().unwrap();
                spawned.fetch_add(1, Ordering::Relaxed);
            }
        });
        let (mut tries, mut refused) = (0, 0);
        while tries < 10_000 || spawned.load(Ordering::Relaxed) < 3 {
            let guard: Result<LockGuard, LockError> = lock.try_acquire();
            refused += u32::from(guard.is_err());
            tries += 1;
        }
        done.store(true, Ordering::Relaxed);
        say(&format!("refused {refused}"));
    });
}

#[test]
fn spawning_processes_does_not_keep_a_released_lock() {
    on_each_backend("spawn", |name| {
        let mut actor = Actor::start("spawn", name);
        actor.expect("refused 0");
        actor.end();
    });
}

/// Acquires, times out, cancels, looks and opens, many times, and says what that left behind.
fn leak(argument: &str) {
    let (free, taken) = argument.split_once(' ').unwrap();
    let use_all = |times: usize| {
        let (free, taken) = (open(free), open(taken));
        for _ in 0..times {
            drop(free.acquire(LONG).unwrap());
        }
        for _ in 0..times / 100 {
            assert!(is_timeout(&taken.acquire(Duration::from_micros(1))));
            assert!(is_timeout(&taken.try_acquire()));
            assert!(taken.holder().unwrap().is_some());
            assert!(matches!(free.holder(), Ok(None)));
            drop(open(free.name()));
        }
        for _ in 0..times / 1_000 {
            let cancel = Cancel::new();
            std::thread::scope(|scope| {
                scope.spawn(|| cancel.cancel());
                let cancelled = taken.with().cancelled_by(&cancel).timeout(LONG).acquire();
                assert!(matches!(cancelled, Err(LockError::Cancelled { .. })));
            });
        }
    };
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let counts = || {
        // A thread that was joined is listed for a moment yet.
        std::thread::sleep(Duration::from_millis(100));
        (count("fd"), count("task"), mappings())
    };
    use_all(1_000);
    let before = counts();
    use_all(100_000);
    let after = counts();
    // The allocator may map memory of its own, so a mapping or two are no leak.
    let leaked = after.0 != before.0 || after.1 != before.1 || after.2 > before.2 + 10;
    say(&if leaked { format!("{before:?} {after:?}") } else { "nothing".to_owned() });
}

#[test]
fn nothing_leaks() {
    on_each_backend("leak-free", |free| {
        on_each_backend("leak-taken", |taken| {
            if support::backend(free) != support::backend(taken) {
                return;
            }
            let mut holder = Actor::start("hold", taken);
            holder.expect("holding");
            let mut actor = Actor::start("leak", &format!("{free} {taken}"));
            actor.expect("nothing");
            actor.end();
            holder.end();
        });
    });
}
