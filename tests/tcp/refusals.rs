//! What the system refuses is said with the port and the cause, within the deadline.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use lockattr::{Backend, Lock, LockError};
use nix::libc;

use super::names::first_port;
use super::support::seccomp::forbid;
use super::support::{eventually, listen, may_be_alone, open, queued, say, unique_tcp, wait};
use super::support::{Actor, LONG};

/// A role: tries and waits where the system refuses; says what an acquire says.
pub(crate) fn be_refused(argument: &str) {
    let (name, cause) = argument.split_once(' ').unwrap();
    // What an acquire of this name looks for before the first one is not under test.
    drop(open(name).acquire(LONG).unwrap());
    match cause {
        "firewall" => forbid(libc::SYS_bind, None, libc::EACCES),
        _ => forbid(libc::SYS_socket, Some(libc::AF_INET), libc::EAFNOSUPPORT),
    }
    let start = Instant::now();
    for timeout in [LONG, Duration::ZERO] {
        let error = open(name).acquire(timeout).unwrap_err();
        let LockError::Io { source, .. } = &error else { panic!("{error}") };
        let expected =
            if cause == "firewall" { ErrorKind::PermissionDenied } else { source.kind() };
        assert_eq!(source.kind(), expected);
        say(&error.to_string());
    }
    assert!(start.elapsed() < LONG / 2);
    listen();
}

#[test]
fn what_refuses_a_port_is_said_at_once() {
    for (cause, said) in [("firewall", "a firewall or a security module"), ("off", "IPv4 is")] {
        let name = unique_tcp("refused");
        let mut actor = Actor::start("be refused", &format!("{name} {cause}"));
        for _ in 0..2 {
            let error = actor.hear();
            assert!(error.contains(said), "{error}");
            assert!(error.contains(&format!("127.0.0.1:{}", first_port(&name))), "{error}");
        }
        actor.end();
    }
}

/// From here on the kernel is not to be asked about sockets, as in some sandboxes.
fn forbid_asking() {
    forbid(libc::SYS_socket, Some(libc::AF_NETLINK), libc::EPROTONOSUPPORT);
}

/// A role: asks for a lock that is held where the kernel is not to be asked about sockets.
pub(crate) fn be_told_nothing(argument: &str) {
    forbid_asking();
    let (name, backend) = argument.split_once(' ').unwrap();
    let backends = [Backend::Tcp, Backend::Port];
    let backend = backends.into_iter().find(|it| it.to_string() == backend).unwrap();
    let lock = Lock::open(backend, name).unwrap();
    for timeout in [Duration::from_millis(50), Duration::ZERO] {
        let error = lock.acquire(timeout).unwrap_err();
        say(&error.holder().and_then(|holder| holder.pid).unwrap_or(0).to_string());
    }
    listen();
}

#[test]
fn a_holder_is_known_where_the_kernel_is_not_to_be_asked_about_sockets() {
    let name = unique_tcp("not-asked");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    // Of the other backend, as it looks for one that has the name already.
    for backend in [Backend::Tcp, Backend::Port] {
        let mut asker = Actor::start("be told nothing", &format!("{name} {backend}"));
        for _ in 0..2 {
            asker.expect(&holder.pid().to_string());
        }
        asker.end();
    }
    holder.end();
}

/// A role: waits where the kernel is not to be asked about sockets.
pub(crate) fn wait_untold(name: &str) {
    forbid_asking();
    wait(name);
}

#[test]
fn waiters_queue_where_the_kernel_is_not_to_be_asked_about_sockets() {
    let name = unique_tcp("untold");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut waiters = [(); 2].map(|()| Actor::start("wait untold", &name));
    for waiter in &mut waiters {
        waiter.expect("waiting");
    }
    eventually("one queues", || waiters.iter().any(|waiter| queued(&name, waiter.pid()) > 0));
    waiters.sort_by_key(|waiter| queued(&name, waiter.pid()));
    holder.end();
    for waiter in &mut waiters {
        waiter.expect("acquired");
        waiter.tell("release");
    }
    waiters.into_iter().for_each(Actor::end);
}

/// A role: holds, and waits for what it holds, as nobody else is there.
pub(crate) fn be_alone(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    let timeout = Duration::from_millis(50);
    let waiter = std::thread::scope(|scope| {
        scope.spawn(|| (Instant::now(), open(name).acquire(timeout).unwrap_err())).join().unwrap()
    });
    let (start, error) = waiter;
    assert!(error.is_timeout(), "{error}");
    assert!(start.elapsed() < LONG / 2);
    drop(guard);
    drop(open(name).try_acquire().unwrap());
    say("it works");
    listen();
}

#[test]
fn where_the_loopback_interface_is_down_processes_wait_for_each_other_all_the_same() {
    let alone = ["unshare", "--map-root-user", "--net"];
    if !may_be_alone(&alone) {
        return;
    }
    let name = unique_tcp("loopback-down");
    let mut actor = Actor::start_under(&alone, "be alone", &name);
    actor.expect("it works");
    actor.end();
}
