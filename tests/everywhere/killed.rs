//! What a holder that is killed leaves behind.

use std::env;
use std::process::{Command, Stdio};

use super::actor::{listen, say, Actor, LONG};
use super::{holder, is_timeout, on_each_backend, open};

#[test]
fn a_holder_that_is_killed_frees_the_lock() {
    on_each_backend("killed", |which, lock| {
        let holder = holder(which);
        assert!(is_timeout(&lock.try_acquire()), "{which}");
        holder.kill();
        drop(lock.acquire(LONG).unwrap());
    });
}

#[test]
fn a_waiter_gets_the_lock_of_a_holder_that_is_killed() {
    on_each_backend("wakes", |which, _| {
        let holder = holder(which);
        let mut waiter = Actor::start("wait", which);
        waiter.expect("waiting");
        holder.kill();
        waiter.expect("acquired");
        waiter.end();
    });
}

#[test]
fn a_waiter_that_is_killed_is_in_nobodys_way() {
    on_each_backend("gives-up", |which, lock| {
        let mut holder = holder(which);
        let mut waiter = Actor::start("wait", which);
        waiter.expect("waiting");
        waiter.kill();
        holder.tell("release");
        holder.expect("released");
        drop(lock.acquire(LONG).unwrap());
        holder.end();
    });
}

/// A child that its parent starts while it holds has none of the sockets, and none of their handles.
#[test]
fn a_child_that_outlives_its_parent_does_not_keep_the_lock() {
    on_each_backend("child", |which, lock| {
        let mut parent = Actor::start("hold and leave a child", which);
        parent.expect("holding");
        // From the child: it lives.
        parent.expect("alive");
        assert!(is_timeout(&lock.try_acquire()), "{which}");
        parent.kill_now();
        drop(lock.acquire(LONG).unwrap());
    });
}

/// A role: holds, and starts a process that has this one's pipes and lives until they are closed.
pub(crate) fn hold_and_leave_a_child(which: &str) {
    let guard = open(which).acquire(LONG).unwrap();
    say("holding");
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "role", "--nocapture"])
        .env("LOCKATTR_TEST_ROLE", "live")
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .spawn();
    // Its input is the child's: nothing more is read here.
    child.unwrap().wait().unwrap();
    drop(guard);
}

/// A role: lives until its input ends.
pub(crate) fn live(_: &str) {
    say("alive");
    listen();
}
