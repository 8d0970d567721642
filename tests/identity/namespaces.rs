//! Network, time and pid namespaces, of a holder and of a process that enters another one.

use std::process::Command;
use std::time::Duration;

use lockattr::{Lock, LockError};
use nix::sched::{unshare, CloneFlags};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::may;
use crate::support::{eventually, hold, is_timeout, on_each_backend, open};
use crate::support::{remove_semaphore, say, unique_name, Actor, LONG};

/// Uses a lock, and then asks for another one from another network namespace: that of one thread.
pub(super) fn change_network(name: &str) {
    drop(open(&format!("{name}other")).acquire(LONG).unwrap());
    let says = |lock: &Lock| match lock.acquire(Duration::from_millis(20)) {
        Ok(guard) => format!("acquired, recovered: {}", guard.recovered_from().is_some()),
        Err(LockError::OtherNamespace { .. }) => "another namespace".to_owned(),
        Err(error) if error.is_timeout() => "timeout".to_owned(),
        Err(error) => error.to_string(),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            say(&says(&open(name)));
        });
    });
    say(&says(&open(name)));
}

#[test]
fn a_thread_that_changes_its_network_namespace_is_told_that_the_lock_does_not_reach_there() {
    if !may(&["unshare", "--net"]) {
        return;
    }
    let name = unique_name("change-network");
    let guard = open(&name).acquire(LONG).unwrap();
    let mut actor = Actor::start("change network", &name);
    actor.expect("another namespace");
    actor.expect("timeout"); // from the thread that has stayed
    drop(guard);
    actor.end();
}

/// As containers with a network and pids of their own, and the host's shared memory.
#[test]
fn a_holder_that_may_live_in_another_pid_and_network_namespace_is_not_said_to_have_died() {
    const CONTAINED: [&str; 5] = ["unshare", "--net", "--pid", "--fork", "--mount-proc"];

    if !may(&CONTAINED) {
        return;
    }
    let name = unique_name("contained");
    let mut holder = Actor::start_under(&CONTAINED, "hold", &name);
    holder.expect("holding");
    let guard = open(&name).acquire(LONG).unwrap();
    assert!(guard.recovered_from().is_none(), "{:?}", guard.recovered_from());
    drop(guard);
    holder.end();
}

/// A pid of one pid namespace is nobody's in another, or another process's.
#[test]
fn a_holder_in_another_pid_namespace_is_robbed_by_nobody() {
    const HERE: &[&str] = &[];
    const CONTAINED: &[&str] = &["unshare", "--pid", "--fork", "--mount-proc"];

    if !may(CONTAINED) {
        return;
    }
    on_each_backend("pids", |name| {
        for (holders, waiters) in [(CONTAINED, HERE), (HERE, CONTAINED), (CONTAINED, CONTAINED)] {
            let mut holder = Actor::start_under(holders, "hold", name);
            holder.expect("holding");
            let mut waiter = Actor::start_under(waiters, "be refused and wait", name);
            waiter.expect("timeout: true");
            holder.tell("release");
            holder.expect("released");
            waiter.expect("acquired");
            waiter.end();
            holder.end();
        }
    });
}

/// In a time namespace in which all that has begun has begun later.
const SHIFTED: [&str; 8] =
    ["unshare", "--time", "--monotonic", "5000", "--boottime", "5000", "--fork", "--kill-child"];

pub(super) fn hold_and_say_who(name: &str) {
    say(&std::process::id().to_string());
    hold(name);
}

#[test]
fn a_holder_in_another_time_namespace_is_kept_while_it_lives_and_replaced_when_it_dies() {
    if !may(&SHIFTED) {
        return;
    }
    on_each_backend("time", |name| {
        let lock = open(name);
        let mut holder = Actor::start_under(&SHIFTED, "hold and say who", name);
        let pid: i32 = holder.hear().parse().unwrap();
        holder.expect("holding");
        assert!(is_timeout(&lock.acquire(Duration::from_millis(150))));
        let named = lock.holder().unwrap().unwrap();
        assert_eq!(named.pid, Some(pid.try_into().unwrap()), "{named}");
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        drop(lock.acquire(Duration::from_secs(5)).unwrap());
    });
}

/// Uses a lock, enters another time namespace, and asks for one that another process holds.
pub(super) fn change_time(name: &str) {
    drop(open(&format!("{name}-other")).acquire(LONG).unwrap());
    let other = SHIFTED.iter().chain(&["sleep", "60"]).skip(1);
    let mut shifted = Command::new(SHIFTED[0]).args(other).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", shifted.id());
    let mut path = String::new();
    eventually("it has a child", || {
        path = std::fs::read_to_string(&children).unwrap();
        !path.is_empty()
    });
    // Only a process of one thread may enter another time namespace: a forked child is one.
    // SAFETY: the child tries the lock, says what came of it, and ends.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            // The child finds out who it is, and moves then.
            drop(open(&format!("{name}-other")).acquire(LONG).unwrap());
            let namespace = std::fs::File::open(format!("/proc/{}/ns/time", path.trim())).unwrap();
            nix::sched::setns(namespace, CloneFlags::from_bits_retain(0x80)).unwrap();
            let refused = open(name).acquire(Duration::from_millis(100));
            say(&format!("timeout: {}", is_timeout(&refused)));
            // SAFETY: ends the child.
            unsafe { nix::libc::_exit(0) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).unwrap();
        }
    }
    shifted.kill().unwrap();
    shifted.wait().unwrap();
    remove_semaphore(&format!("{name}-other"));
}

#[test]
fn a_process_that_enters_another_time_namespace_robs_nobody() {
    if !may(&SHIFTED) {
        return;
    }
    on_each_backend("change-time", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut actor = Actor::start("change time", name);
        actor.expect("timeout: true");
        actor.end();
        holder.end();
    });
}
