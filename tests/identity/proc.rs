//! `/proc` that is missing, another namespace's, or an emulator's.

use std::time::Duration;

use nix::mount::{mount, MsFlags};

use crate::support::{emulator, hold, is_timeout, on_each_backend, open, say, Actor, LONG};
use crate::{be_refused_and_wait, leave_mounts, may};

/// In a mount namespace of its own, in which `/proc` is empty.
pub(super) fn hide_proc() {
    leave_mounts();
    let nothing = None::<&str>;
    mount(Some("tmpfs"), "/proc", Some("tmpfs"), MsFlags::empty(), nothing).unwrap();
}

pub(super) fn hold_without_proc(name: &str) {
    hide_proc();
    hold(name);
}

pub(super) fn wait_without_proc(name: &str) {
    hide_proc();
    be_refused_and_wait(name);
}

#[test]
fn a_holder_that_has_no_proc_is_kept_while_it_lives_and_replaced_when_it_dies() {
    if !may(&["unshare", "--mount"]) {
        return;
    }
    // A lock that it makes itself, and one that is there.
    for is_there in [false, true] {
        on_each_backend("no-proc", |name| {
            let lock = open(name);
            if is_there {
                drop(lock.acquire(LONG).unwrap());
            }
            let mut holder = Actor::start("hold without proc", name);
            holder.expect("holding");
            assert!(is_timeout(&lock.acquire(Duration::from_millis(150))));
            holder.kill();
            drop(lock.acquire(Duration::from_secs(5)).unwrap());
        });
    }
}

#[test]
fn a_waiter_that_has_no_proc_robs_nobody_and_replaces_the_dead() {
    if !may(&["unshare", "--mount"]) {
        return;
    }
    on_each_backend("waits-no-proc", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut waiter = Actor::start("wait without proc", name);
        waiter.expect("timeout: true");
        holder.kill();
        waiter.expect("acquired");
        waiter.end();
    });
}

/// In a pid namespace of its own, to which the `/proc` of the outer one is mounted: beside a holder that has
/// its own, or has not either, and beside one that has died.
pub(super) fn rob_a_neighbour(name: &str) {
    const OWN_PROC: [&str; 3] = ["unshare", "--mount", "--mount-proc"];

    let lock = open(name);
    for program in [&OWN_PROC[..], &[]] {
        let mut holder = Actor::start_under(program, "hold", name);
        holder.expect("holding");
        let refused = lock.acquire(Duration::from_millis(100));
        say(&format!("timeout: {}", is_timeout(&refused)));
        // It names its command only if that is looked up where its pid means it.
        let holder_now = lock.holder().unwrap().unwrap();
        say(&format!(
            "command: {}",
            holder_now.command.is_some_and(|it| it.starts_with("identity"))
        ));
        holder.kill();
        drop(lock.acquire(Duration::from_secs(5)).unwrap());
        say("free again");
    }
}

#[test]
fn the_proc_of_another_pid_namespace_tells_nothing() {
    if !may(&["unshare", "--pid", "--fork"]) {
        return;
    }
    on_each_backend("alien-proc", |name| {
        // Pids that are taken outside: its first ones are those of the kernel's threads there.
        let mut actor =
            Actor::start_under(&["unshare", "--pid", "--fork"], "rob a neighbour", name);
        for _ in 0..2 {
            actor.expect("timeout: true");
            actor.hear();
            actor.expect("free again");
        }
        actor.end();
    });
}

pub(super) fn wait_for_a_while(name: &str) {
    let refused = open(name).acquire(Duration::from_millis(200));
    say(&format!("timeout: {}", is_timeout(&refused)));
}

#[test]
fn a_holder_on_an_emulated_processor_is_kept_while_it_lives_and_replaced_when_it_dies() {
    let Some(emulator) = emulator() else { return };
    let emulator: &[&str] = &[&emulator];
    // Each looks at the other, or at one of its own kind.
    for (holders, waiters) in [(emulator, &[][..]), (&[], emulator), (emulator, emulator)] {
        on_each_backend("emulated", |name| {
            let mut holder = Actor::start_under(holders, "hold", name);
            holder.expect("holding");
            let mut waiter = Actor::start_under(waiters, "wait for a while", name);
            waiter.expect("timeout: true");
            let mut next = Actor::start_under(waiters, "wait", name);
            next.expect("waiting");
            holder.kill();
            next.expect("acquired");
            next.end();
            waiter.end();
        });
    }
}
