//! `LockGuard::into_descriptor`: a port or TCP lock that is held by the processes that have inherited it.

mod support;

use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use lockattr::{Backend, Lock, LockError, Tenure};
use nix::fcntl::{fcntl, FcntlArg, FdFlag};
use support::{eventually, listen, open, say, unique_name, unique_semaphore, unique_tcp, waits};
use support::{may_be_alone, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("leave it to a child", leave_it_to_a_child),
        ("leave it to a descriptor and close that", leave_it_to_a_descriptor_and_close_that),
    ]);
}

/// Ends, and leaves the lock to a child that waits for the end of its input.
fn leave_it_to_a_child(name: &str) {
    let guard = open(name).with().timeout(LONG).info("left").acquire().unwrap();
    let descriptor = guard.into_descriptor().unwrap();
    fcntl(&descriptor, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let mut child = Command::new("sleep");
    let child = child.arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    say(&child.spawn().unwrap().id().to_string());
    assert!(descriptor.as_raw_fd() > 2);
    listen();
}

/// Closes it when told to, and lives on.
fn leave_it_to_a_descriptor_and_close_that(name: &str) {
    let guard = open(name).with().timeout(LONG).info("left").acquire().unwrap();
    let descriptor = guard.into_descriptor().unwrap();
    say("left");
    listen();
    drop(descriptor);
    say("closed");
    listen();
}

fn kill(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
}

#[test]
fn a_lock_that_is_left_to_a_descriptor_is_held_until_the_last_copy_goes_which_is_no_death() {
    let names = [unique_name("left"), unique_tcp("left")];
    for (name, is_killed) in names.iter().flat_map(|name| [(name, false), (name, true)]) {
        let mut actor = Actor::start("leave it to a child", name);
        let child: i32 = actor.hear().parse().unwrap();
        let lock = open(name);
        let seen = lock.holder().unwrap().unwrap();
        assert_eq!((seen.tenure, seen.pid), (Tenure::Kept, Some(actor.pid())));
        if is_killed {
            actor.kill();
        } else {
            actor.end();
        }
        let seen = lock.holder().unwrap().unwrap();
        // Of a TCP lock the system does not tell who has the descriptor.
        let keeper = u32::try_from(child).ok().filter(|_| lock.backend() == Backend::Port);
        assert_eq!((seen.tenure, seen.pid), (Tenure::Kept, keeper));
        assert_eq!(seen.info.as_deref(), Some("left"));
        assert!(lock.try_acquire().unwrap_err().is_timeout());
        assert!(lock.acquire(Duration::from_millis(50)).unwrap_err().is_timeout());

        // A waiter gets it at once when the last copy goes.
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| lock.acquire(LONG).unwrap());
            eventually("it waits", || waits(name, std::process::id()));
            kill(child);
            let guard = waiter.join().unwrap();
            assert!(guard.recovered_from().is_none(), "{:?}", guard.recovered_from());
        });
        assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Released);
    }
}

#[test]
fn a_lock_that_was_left_to_a_descriptor_is_free_and_in_order_afterwards() {
    let name = unique_name("after");
    let lock = Lock::open(Backend::Port, &name).unwrap();
    let descriptor = lock.acquire(LONG).unwrap().into_descriptor().unwrap();
    assert!(lock.is_locked().unwrap());
    drop(descriptor);
    // A process that another test is just spawning may have a copy until it executes its program.
    eventually("it is free", || !lock.is_locked().unwrap());
    assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Released);
    assert!(lock.acquire(LONG).unwrap().recovered_from().is_none());
}

/// Needs the right to make a network namespace: run as root, or it says that it was skipped.
#[test]
fn a_lock_left_to_a_descriptor_in_another_network_namespace_is_an_error_until_that_is_closed() {
    let alone = ["unshare", "--net"];
    if !may_be_alone(&alone) {
        return;
    }
    let name = unique_name("left-elsewhere");
    let role = "leave it to a descriptor and close that";
    let mut actor = Actor::start_under(&alone, role, &name);
    actor.expect("left");
    let lock = open(&name);
    let acquired = lock.acquire(LONG).map(drop);
    for error in [acquired, lock.is_locked().map(drop), lock.holder().map(drop)] {
        let Err(LockError::OtherNamespace { holder, .. }) = error else { panic!("{error:?}") };
        assert_eq!((holder.tenure, holder.pid), (Tenure::Kept, Some(actor.pid())));
        assert_eq!(holder.info.as_deref(), Some("left"));
    }
    actor.tell("close it");
    actor.expect("closed");
    assert!(!lock.is_locked().unwrap());
    assert!(lock.acquire(LONG).unwrap().recovered_from().is_none());
    actor.end();
}

#[test]
fn a_semaphore_has_no_descriptor_and_is_given_back() {
    let name = unique_semaphore("no-descriptor");
    let lock = Lock::open(Backend::Semaphore, &name).unwrap();
    let error = lock.acquire(LONG).unwrap().into_descriptor().unwrap_err();
    assert!(error.to_string().contains("cannot outlive its process"), "{error}");
    assert!(!lock.is_locked().unwrap());
}
