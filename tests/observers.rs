//! Looking at a lock without taking it, and what is known after a holder that died.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use lockattr::Tenure;
use nix::unistd::Uid;
use support::{
    become_user, eventually, hold, listen, on_each_backend, open, remove_record_of, say,
    unique_name, unique_tcp, wait, waits_in_queue, Actor, LONG,
};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("wait", wait),
        ("wait as another user", wait_as_another_user),
        ("look", look),
        ("exec", exec),
    ]);
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

fn wait_as_another_user(argument: &str) {
    let (user, name) = argument.split_once(' ').unwrap();
    become_user(user.parse().unwrap());
    wait(name);
}

/// Each has a record of its own, so none writes over whom the lock was sent to before.
#[test]
fn an_observer_that_stays_sees_each_holder_of_a_queue_of_several_users() {
    const USERS: [u32; 3] = [65_531, 65_532, 65_533];

    if !Uid::effective().is_root() {
        println!("skipped: needs root");
        return;
    }
    let name = unique_name("follow-users");
    let lock = open(&name);
    let mut first = Actor::start("hold", &name);
    first.expect("holding");
    let waiters = USERS.map(|user| {
        let mut waiter = Actor::start("wait as another user", &format!("{user} {}", &*name));
        waiter.expect("waiting");
        eventually("it waits", || waits_in_queue(waiter.pid()));
        waiter
    });
    // Behind them in the queue: the connection stays where it is while they come.
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(first.pid()));
    let mut holders = vec![first];
    for mut waiter in waiters {
        let before = holders.last_mut().unwrap();
        before.tell("release");
        before.expect("released");
        waiter.expect("acquired");
        holders.push(waiter);
    }
    for _ in 0..2 {
        let holder = lock.holder().unwrap().unwrap();
        let last = holders.last().unwrap().pid();
        assert_eq!((holder.pid, holder.tenure), (Some(last), Tenure::Holds));
    }
    holders.into_iter().for_each(Actor::end);
    assert!(lock.holder().unwrap().is_none());
    for user in USERS {
        remove_record_of(user.into(), &name);
    }
}

fn look(name: &str) {
    let lock = open(name);
    say("looking");
    loop {
        lock.is_locked().unwrap();
    }
}

/// Each look binds a port at a time, and so can take two ports from another.
#[test]
fn looks_at_a_free_lock_do_not_take_each_other_for_holders() {
    let name = unique_tcp("looks");
    let mut other = Actor::start("look", &name);
    other.expect("looking");
    let lock = open(&name);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        assert!(!lock.is_locked().unwrap());
        assert_eq!(lock.holder().unwrap(), None);
    }
    other.kill();
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
