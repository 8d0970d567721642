//! Looking at a lock without taking it, and what is known after a holder that died.

mod support;

use std::process::Command;

use lockattr::Tenure;
use support::{
    eventually, hold, listen, on_each_backend, open, say, unique_name, wait, waits_in_queue, Actor,
    LONG,
};

#[test]
fn role() {
    support::play(&[("hold", hold), ("wait", wait), ("exec", exec)]);
}

#[test]
fn looking_takes_nothing_creates_nothing_and_follows_the_lock() {
    on_each_backend("look", |name| {
        let lock = open(name);
        assert!(!lock.is_locked().unwrap());
        assert_eq!(lock.holder().unwrap(), None);
        assert_eq!(lock.last_holder().unwrap(), None);
        assert!(records_of(name).is_empty());

        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        for _ in 0..3 {
            assert!(lock.is_locked().unwrap());
            assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
        }
        let last = lock.last_holder().unwrap().unwrap();
        assert_eq!((last.pid, last.tenure), (Some(holder.pid()), Tenure::Holds));

        holder.tell("release");
        holder.expect("released");
        assert!(!lock.is_locked().unwrap());
        assert_eq!(lock.holder().unwrap(), None);
        let last = lock.last_holder().unwrap().unwrap();
        assert_eq!((last.pid, last.tenure), (Some(holder.pid()), Tenure::Released));
        assert_eq!(last.info.as_deref(), Some("the test's holder"));
        holder.end();
    });
}

fn records_of(name: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap().path());
    let is_of =
        |path: &str| path.ends_with(&format!(".{name}")) || path.ends_with(&format!("/{name}"));
    entries.filter(|path| is_of(&path.to_string_lossy())).collect()
}

#[test]
fn an_observer_that_stays_sees_each_holder_of_a_queue() {
    let name = unique_name("follow");
    let lock = open(&name);
    let mut first = Actor::start("hold", &name);
    first.expect("holding");
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(first.pid()));
    let mut second = Actor::start("wait", &name);
    second.expect("waiting");
    eventually("the second waits", || waits_in_queue(second.pid()));
    first.tell("release");
    second.expect("acquired");
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(second.pid()));
    assert!(lock.is_locked().unwrap());
    second.end();
    assert!(!lock.is_locked().unwrap());
    first.end();
}

#[test]
fn a_killed_holder_is_history_and_says_so() {
    on_each_backend("history", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let pid = holder.pid();
        holder.kill();
        let lock = open(name);
        assert!(!lock.is_locked().unwrap());
        let last = lock.last_holder().unwrap().unwrap();
        assert_eq!((last.pid, last.tenure), (Some(pid), Tenure::Died));
        assert!(last.to_string().contains("the test's holder"), "{last}");
    });
}

#[test]
fn who_comes_after_a_holder_that_died_is_told_and_nobody_else() {
    on_each_backend("recover", |name| {
        let lock = open(name);
        assert!(lock.acquire(LONG).unwrap().recovered_from().is_none());
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let pid = holder.pid();
        holder.kill();

        let guard = lock.acquire(LONG).unwrap();
        let dead = guard.recovered_from().expect("the holder died");
        assert_eq!((dead.pid, dead.tenure), (Some(pid), Tenure::Died));
        assert_eq!(dead.info.as_deref(), Some("the test's holder"));
        // What could not be brought in order is left to the next one.
        guard.abandon();
        assert!(!lock.is_locked().unwrap());
        let guard = lock.acquire(LONG).unwrap();
        let abandoned = guard.recovered_from().expect("the lock was abandoned");
        let this = std::process::id();
        assert_eq!((abandoned.pid, abandoned.tenure), (Some(this), Tenure::Abandoned));
        drop(guard);
        // Also when the guard that was in hand first goes first.
        let outer = lock.with().timeout(LONG).reentrant().acquire().unwrap();
        assert!(outer.recovered_from().is_none());
        let inner = lock.with().timeout(LONG).reentrant().acquire().unwrap();
        outer.abandon();
        drop(inner);
        assert!(lock.acquire(LONG).unwrap().recovered_from().is_some());
        // And when it is not the last one.
        let outer = lock.with().timeout(LONG).reentrant().acquire().unwrap();
        lock.with().timeout(LONG).reentrant().acquire().unwrap().abandon();
        drop(outer);
        assert!(lock.acquire(LONG).unwrap().recovered_from().is_some());
        assert!(lock.acquire(LONG).unwrap().recovered_from().is_none());
    });
}

/// Holds, and becomes another program, which keeps the pid and loses the lock.
fn exec(name: &str) {
    use std::os::unix::process::CommandExt;
    let _guard = open(name).acquire(LONG).unwrap();
    say("holding");
    listen();
    panic!("{}", Command::new("cat").exec());
}

#[test]
fn a_holder_that_becomes_another_program_holds_no_more() {
    on_each_backend("exec", |name| {
        let lock = open(name);
        let mut holder = Actor::start("exec", name);
        holder.expect("holding");
        holder.tell("exec");
        eventually("the lock is free", || !lock.is_locked().unwrap());
        let last = lock.last_holder().unwrap().unwrap();
        assert_eq!((last.pid, last.tenure), (Some(holder.pid()), Tenure::Died));
        let guard = lock.acquire(LONG).unwrap();
        assert_eq!(guard.recovered_from().unwrap().pid, Some(holder.pid()));
    });
}
