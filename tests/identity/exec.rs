//! A program that is replaced by another one in its process.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use lockattr::LockError;

use crate::may;
use crate::support::{is_timeout, listen, on_each_backend, open, say, unique_name, Actor, LONG};

/// A program's addresses are the same after each `exec`.
const NOT_RANDOM: [&str; 2] = ["setarch", "-R"];

/// Takes the lock, and becomes another program in a role whose name has as many letters.
pub(super) fn execute(argument: &str) {
    let (name, _) = argument.split_once(' ').unwrap();
    let guard = open(name).acquire(LONG).unwrap();
    say("holding");
    listen();
    let error = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "role", "--nocapture", "--test-threads=1"])
        .env("LOCKATTR_TEST_ROLE", "resumes")
        .env("LOCKATTR_TEST_ARGUMENT", argument)
        .exec();
    drop(guard);
    panic!("{error}");
}

pub(super) fn resumes(argument: &str) {
    let (name, what) = argument.split_once(' ').unwrap();
    say("executed");
    if what == "again" {
        let lock = open(name);
        let is_locked = lock.is_locked().unwrap();
        let guard = lock.acquire(LONG).unwrap();
        let dead = guard.recovered_from().and_then(|dead| dead.pid);
        let own = dead == Some(std::process::id());
        say(&format!("locked: {is_locked}, recovered from itself: {own}"));
        drop(guard);
        drop(lock.acquire(LONG).unwrap());
        say("again");
    }
    listen();
}

#[test]
fn a_program_that_was_replaced_by_exec_holds_no_more_where_addresses_are_not_random() {
    if !may(&NOT_RANDOM) {
        return;
    }
    on_each_backend("exec", |name| {
        let mut actor = Actor::start_under(&NOT_RANDOM, "execute", &format!("{name} idle"));
        actor.expect("holding");
        let lock = open(name);
        assert!(is_timeout(&lock.acquire(Duration::from_millis(150))));
        actor.tell("execute");
        actor.expect("executed");
        let guard = lock.acquire(Duration::from_secs(5)).unwrap();
        assert_eq!(guard.recovered_from().unwrap().pid, Some(actor.pid()));
        drop(guard);
        actor.end();
    });
}

#[test]
fn a_program_takes_back_what_the_one_before_it_left_where_addresses_are_not_random() {
    if !may(&NOT_RANDOM) {
        return;
    }
    on_each_backend("exec-again", |name| {
        let mut actor = Actor::start_under(&NOT_RANDOM, "execute", &format!("{name} again"));
        actor.expect("holding");
        actor.tell("execute");
        actor.expect("executed");
        actor.expect("locked: false, recovered from itself: true");
        actor.expect("again");
        actor.end();
    });
}

#[test]
fn a_holder_in_another_network_namespace_that_executes_something_holds_no_more() {
    if !may(&["unshare", "--net"]) {
        return;
    }
    let name = unique_name("exec-network");
    for random in [&["unshare", "--net"][..], &["setarch", "-R", "unshare", "--net"]] {
        let mut actor = Actor::start_under(random, "execute", &format!("{name} idle"));
        actor.expect("holding");
        let lock = open(&name);
        let error = lock.acquire(LONG).unwrap_err();
        assert!(matches!(error, LockError::OtherNamespace { .. }), "{error:?}");
        actor.tell("execute");
        actor.expect("executed");
        drop(lock.acquire(LONG).unwrap());
        actor.end();
    }
}
