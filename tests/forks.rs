//! Children that are forked and go on without `exec`: they hold nothing, and keep nothing taken.

#![allow(unsafe_code)] // fork

mod support;

use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use lockattr::{Cancel, LockError};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::unistd::{fork, ForkResult};
use support::{
    acquire_as_a_child, eventually, listen, on_each_backend, open, say, unique_name, waits_in_queue,
};
use support::{Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("fork and release", fork_and_release),
        ("fork and die", fork_and_die),
        ("fork and try", fork_and_try),
        ("fork while waiting", fork_while_waiting),
        ("fork between guards", fork_between_guards),
        ("ask in a child", ask_in_a_child),
        ("wait", wait),
    ]);
}

/// Runs `child` in a forked child, which then stays until the process that started it has ended.
fn fork_child(child: impl FnOnce()) {
    // SAFETY: the child only calls what is under test here, from the one thread that it has.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { .. } => {}
        ForkResult::Child => {
            nix::unistd::alarm::set(LONG.as_secs().try_into().unwrap());
            child();
            // Its input is its parent's too, so it reads nothing: the end comes when the test is
            // over and closes the other side.
            let stdin = std::io::stdin();
            let mut input = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
            while poll(&mut input, PollTimeout::NONE).is_err() {}
            std::process::exit(0);
        }
    }
}

fn fork_and_release(name: &str) {
    let lock = open(name);
    let guard = lock.acquire(LONG).unwrap();
    let mut guard = Some(guard);
    fork_child(|| {
        // The child's copy of the guard: dropping it must not give the parent's lock away.
        drop(guard.take());
        say("child dropped");
    });
    listen();
    drop(guard);
    say("released");
    listen();
}

#[test]
fn a_forked_child_neither_frees_nor_keeps_its_parents_lock() {
    on_each_backend("fork", |name| {
        let lock = open(name);
        let mut parent = Actor::start("fork and release", name);
        parent.expect("child dropped");
        let error = lock.acquire(Duration::from_millis(20)).unwrap_err();
        assert!(matches!(error, LockError::Timeout { .. }), "{error}");
        parent.tell("release");
        parent.expect("released");
        // The child lives still.
        drop(lock.try_acquire().unwrap());
        assert!(!lock.is_locked().unwrap());
    });
}

fn fork_and_die(name: &str) {
    let _guard = open(name).acquire(LONG).unwrap();
    fork_child(|| say("forked"));
    listen();
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[test]
fn a_forked_child_does_not_keep_the_lock_of_a_parent_that_died() {
    on_each_backend("fork-died", |name| {
        let lock = open(name);
        let mut parent = Actor::start("fork and die", name);
        parent.expect("forked");
        assert!(lock.is_locked().unwrap());
        parent.tell("die");
        drop(lock.acquire(LONG).unwrap());
    });
}

fn fork_and_try(name: &str) {
    let lock = open(name);
    let guard = lock.acquire(LONG).unwrap();
    let parent = std::process::id();
    fork_child(|| {
        acquire_as_a_child(&lock, parent);
        say("child done");
    });
    listen();
    drop(guard);
    listen();
}

#[test]
fn a_forked_child_waits_for_its_parent_as_any_other_process() {
    on_each_backend("fork-try", |name| {
        let mut parent = Actor::start("fork and try", name);
        parent.expect("held by the parent: true");
        parent.tell("release");
        parent.expect("held by the child: true");
        parent.expect("child done");
    });
}

/// Forks while another thread waits in the queue, and gives up waiting.
fn fork_while_waiting(name: &str) {
    let lock = open(name);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(Duration::from_millis(300)));
        eventually("the thread waits", || waits_in_queue(std::process::id()));
        fork_child(|| say("forked"));
        let timed_out = matches!(waiter.join().unwrap(), Err(LockError::Timeout { .. }));
        say(&format!("timed out: {timed_out}"));
    });
    listen();
}

fn wait(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    say("acquired");
    listen();
    drop(guard);
}

#[test]
fn a_place_in_the_queue_is_not_copied_to_a_forked_child() {
    let name = unique_name("fork-queue");
    let guard = open(&name).acquire(LONG).unwrap();
    let mut parent = Actor::start("fork while waiting", &name);
    parent.expect("forked");
    parent.expect("timed out: true");
    let mut next = Actor::start("wait", &name);
    eventually("the next one waits", || waits_in_queue(next.pid()));
    drop(guard);
    next.expect("acquired");
    next.end();
}

/// Forks while of two guards of one thread the first has been dropped.
fn fork_between_guards(name: &str) {
    let lock = open(name);
    let enter_twice = || {
        let first = lock.with().timeout(LONG).reentrant().acquire().unwrap();
        let second = lock.with().timeout(LONG).reentrant().acquire().unwrap();
        drop(first);
        second
    };
    let second = enter_twice();
    say("the parent holds");
    fork_child(|| {
        let second = enter_twice();
        say("the child holds");
        drop(second);
        say(&format!("free again: {}", !lock.is_locked().unwrap()));
    });
    listen();
    drop(second);
    listen();
}

/// What the parent's first guard left behind is copied, and must be neither used nor closed.
#[test]
fn a_forked_child_has_guards_of_its_own() {
    on_each_backend("fork-guards", |name| {
        let mut parent = Actor::start("fork between guards", name);
        parent.expect("the parent holds");
        assert!(open(name).acquire(Duration::from_millis(20)).unwrap_err().is_timeout());
        parent.tell("release");
        parent.expect("the child holds");
        parent.expect("free again: true");
    });
}

/// Says what a child finds of its parent's guard and handle, and then what the parent finds.
fn ask_in_a_child(name: &str) {
    let lock = open(name);
    let guard = lock.acquire(LONG).unwrap();
    guard.set_info("the parent's").unwrap();
    let cancel = Cancel::new();
    fork_child(|| {
        let holds = lock.is_held_by_process() || lock.is_held_by_thread();
        let writes = guard.set_info("a child's").is_ok();
        cancel.cancel();
        let tried = lock.with().cancelled_by(&cancel).try_acquire();
        let is_cancelled = matches!(tried, Err(LockError::Cancelled { .. }));
        say(&format!("child: {holds} {writes} {is_cancelled}"));
    });
    listen();
    let info = lock.holder().unwrap().unwrap().info.unwrap();
    say(&format!("{info}: {} {}", lock.is_held_by_thread(), cancel.is_cancelled()));
}

#[test]
fn a_child_does_not_hold_write_or_cancel_for_its_parent() {
    on_each_backend("child-asks", |name| {
        let mut parent = Actor::start("ask in a child", name);
        parent.expect("child: false false true");
        parent.tell("go on");
        parent.expect("the parent's: true false");
        parent.end();
    });
}
