//! System calls that a filter refuses (seccomp(2)), from a program's first instruction on: a slower way,
//! or an error; never a second holder.

#![allow(unsafe_code)] // a raw clone

mod support;

use std::process::Command;
use std::time::Duration;

use nix::libc;
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::Pid;
use support::raw_clone;
use support::seccomp::{refuse, start_refused};
use support::{hold, is_timeout, listen, on_each_backend, open, say, wait, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("refuse", refuse),
        ("hold", hold),
        ("wait", wait),
        ("drop in a child", drop_in_a_child),
        ("drop in a child with its pid", drop_in_a_child_with_its_pid),
    ]);
}

/// Has the first pid of its namespace, and a child that has the same in another one.
fn drop_in_a_child_with_its_pid(name: &str) {
    assert_eq!(std::process::id(), 1);
    let lock = open(name);
    let mut guard = Some(lock.acquire(LONG).unwrap());
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: the child drops its copy of the guard, tries the lock and ends.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            assert_eq!(std::process::id(), 1);
            drop(guard.take());
            let code = i32::from(lock.try_acquire().is_ok());
            // SAFETY: ends the child.
            unsafe { libc::_exit(code) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            let status = waitpid(child, None).unwrap();
            say(&format!("child got in: {}", !matches!(status, WaitStatus::Exited(_, 0))));
        }
    }
    say(&format!("still held: {}", lock.is_locked().unwrap()));
    drop(guard);
    drop(lock.try_acquire().unwrap());
    say("free again");
}

#[test]
fn nor_is_a_child_taken_for_its_parent_whose_pid_it_has() {
    let alone = ["unshare", "--pid", "--fork", "--mount-proc"];
    let may = Command::new(alone[0]).args(&alone[1..]).arg("true").status();
    if !may.is_ok_and(|status| status.success()) {
        println!("skipped: this user may not make a pid namespace");
        return;
    }
    on_each_backend("same-pid", |name| {
        let argument = format!("{}|drop in a child with its pid|{name}", libc::SYS_madvise);
        let mut actor = Actor::start_under(&alone, "refuse", &argument);
        actor.expect("child got in: false");
        actor.expect("still held: true");
        actor.expect("free again");
        actor.end();
    });
}

fn drop_in_a_child(name: &str) {
    let lock = open(name);
    let mut guard = Some(lock.acquire(LONG).unwrap());
    // SAFETY: a fork without handlers; the child drops its copy, tries the lock and ends.
    let pid = unsafe { raw_clone::clone(0) };
    if pid == 0 {
        drop(guard.take());
        let code = i32::from(lock.try_acquire().is_ok());
        // SAFETY: ends the child.
        unsafe { libc::_exit(code) }
    }
    let status = waitpid(Pid::from_raw(pid.try_into().unwrap()), None).unwrap();
    say(&format!("child got in: {}", !matches!(status, WaitStatus::Exited(_, 0))));
    listen();
    drop(guard);
    say("released");
    listen();
}

#[test]
fn without_a_page_that_forks_wipe_a_child_is_told_by_its_pid() {
    on_each_backend("no-madvise", |name| {
        let mut actor = start_refused(libc::SYS_madvise, "drop in a child", name);
        actor.expect("child got in: false");
        let lock = open(name);
        assert!(is_timeout(&lock.acquire(Duration::from_millis(50))));
        actor.tell("release");
        actor.expect("released");
        drop(lock.acquire(LONG).unwrap());
        actor.end();
    });
}

#[test]
fn where_sockets_tell_nothing_of_themselves_locks_still_exclude() {
    on_each_backend("no-getsockopt", |name| {
        let lock = open(name);
        let mut holder = start_refused(libc::SYS_getsockopt, "hold", name);
        holder.expect("holding");
        assert!(is_timeout(&lock.acquire(Duration::from_millis(50))));
        let mut waiter = start_refused(libc::SYS_getsockopt, "wait", name);
        waiter.expect("waiting");
        holder.tell("release");
        holder.expect("released");
        waiter.expect("acquired");
        assert!(is_timeout(&lock.acquire(Duration::from_millis(50))));
        waiter.end();
        drop(lock.acquire(LONG).unwrap());
        holder.end();
    });
}
