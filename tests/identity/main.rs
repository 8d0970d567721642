//! Which process holds, where that changes or cannot be seen: `exec`, namespaces, users, `/proc`.
//!
//! Most of these need root, and say so where they are skipped.

#![allow(unsafe_code)] // fork

#[path = "../support/mod.rs"]
mod support;

mod exec;
mod namespaces;
mod proc;
mod users;

use std::process::Command;
use std::time::Duration;

use nix::mount::{mount, MsFlags};
use nix::sched::{unshare, CloneFlags};
use nix::unistd::Uid;
use support::{become_user, hold, is_timeout, open, say, wait, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("wait", wait),
        ("be refused and wait", be_refused_and_wait),
        ("execute", exec::execute),
        ("resumes", exec::resumes),
        ("change network", namespaces::change_network),
        ("change time", namespaces::change_time),
        ("hold and say who", namespaces::hold_and_say_who),
        ("hold as another", users::hold_as_another),
        ("change user", users::change_user),
        ("take as another", users::take_as_another),
        ("wait with hidden proc", users::wait_with_hidden_proc),
        ("hold without proc", proc::hold_without_proc),
        ("wait without proc", proc::wait_without_proc),
        ("rob a neighbour", proc::rob_a_neighbour),
        ("wait for a while", proc::wait_for_a_while),
    ]);
}

/// Whether a command that does nothing but try a privilege succeeds.
fn may(command: &[&str]) -> bool {
    let status = Command::new(command[0]).args(&command[1..]).arg("true").status();
    let may = status.is_ok_and(|status| status.success());
    if !may {
        println!("skipped: this user may not {}", command.join(" "));
    }
    may
}

fn is_root() -> bool {
    let is_root = Uid::effective().is_root();
    if !is_root {
        println!("skipped: only root can become another user");
    }
    is_root
}

/// `nobody`.
const ANOTHER: u32 = 65534;

fn become_another() {
    become_user(ANOTHER);
}

fn leave_mounts() {
    let nothing = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).unwrap();
}

/// Asks for a lock that another process holds, and then waits for it.
fn be_refused_and_wait(name: &str) {
    let lock = open(name);
    say(&format!("timeout: {}", is_timeout(&lock.acquire(Duration::from_millis(100)))));
    let guard = lock.acquire(LONG).unwrap();
    say("acquired");
    support::listen();
    drop(guard);
}
