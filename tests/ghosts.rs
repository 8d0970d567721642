//! A port lock that was given back a moment ago and is still bound: what a try does about it.

#![allow(unsafe_code)] // a raw clone

mod support;

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::time::{Duration, Instant};

use lockattr::{KnownBy, Lock, LockError, Tenure};
use support::{end_child, keep_copies_in_a_child, listen, none_starts, open, say};
use support::{unique_name, Actor, LONG};

/// For how long a try waits for a ghost: `PATIENCE` in the runtime's `backend/ghost.rs`.
const PATIENCE: Duration = Duration::from_millis(250);

/// For how long after its release a lock can have a ghost: `HAUNTED` there.
const HAUNTED: Duration = Duration::from_secs(1);

#[test]
fn role() {
    support::play(&[("leave a copy", leave_a_copy), ("hold once", hold_once)]);
}

/// Lets go of the lock, of which a child keeps a copy.
fn leave_a_copy(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    let child = keep_copies_in_a_child();
    drop(guard);
    say("released");
    listen();
    end_child(child);
    say("ended");
    listen();
}

fn hold_once(name: &str) {
    drop(open(name).acquire(LONG).unwrap());
    say("released");
    listen();
}

/// How long a try takes that is refused, and who is named.
fn refused(lock: &Lock) -> (Duration, Option<lockattr::Holder>) {
    let start = Instant::now();
    match lock.try_acquire() {
        Err(LockError::Timeout { holder, .. }) => (start.elapsed(), holder.map(|holder| *holder)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_try_waits_a_moment_for_a_ghost_and_not_for_one_that_stays() {
    let name = unique_name("ghost");
    let lock = open(&name);
    let mut parent = Actor::start("leave a copy", &name);
    parent.expect("released");
    let released = Instant::now();
    let (took, holder) = refused(&lock);
    // A machine that was busy for long may have let the time pass before.
    assert!(took >= PATIENCE || released.elapsed() > HAUNTED, "{took:?}");
    assert_eq!(holder.unwrap().tenure, Tenure::Copied);
    std::thread::sleep(HAUNTED.saturating_sub(released.elapsed()));
    let (took, _) = refused(&lock);
    assert!(took < PATIENCE, "{took:?}");
    parent.tell("end");
    parent.expect("ended");
    drop(lock.try_acquire().unwrap());
    parent.end();
}

/// It goes while the try waits.
#[test]
fn a_try_gets_the_lock_of_a_ghost_that_goes() {
    let name = unique_name("ghost-goes");
    let lock = open(&name);
    let mut parent = Actor::start("leave a copy", &name);
    parent.expect("released");
    let released = Instant::now();
    std::thread::scope(|scope| {
        let tried = scope.spawn(|| (lock.try_acquire().map(drop), Instant::now()));
        std::thread::sleep(Duration::from_millis(30));
        parent.tell("end");
        let (tried, at) = tried.join().unwrap();
        // It may have come to its try late.
        assert!(tried.is_ok() || at - released > PATIENCE, "{tried:?}");
    });
    parent.expect("ended");
    parent.end();
}

#[test]
fn a_holder_that_came_just_after_a_release_is_no_ghost() {
    // As k3portlock binds; and as a program that listens and writes no record.
    for listens in [false, true] {
        let name = unique_name("no-ghost");
        let lock = open(&name);
        let mut before = Actor::start("hold once", &name);
        before.expect("released");
        let alone = none_starts();
        let address = SocketAddr::from_abstract_name(format!("/portlock/{name}")).unwrap();
        let (silent, listener);
        if listens {
            listener = Some(UnixListener::bind_addr(&address).unwrap());
            silent = None;
        } else {
            silent = Some(bind_without_listening(&name));
            listener = None;
        }
        let (took, holder) = refused(&lock);
        assert!(took < PATIENCE, "listens: {listens}, {took:?}");
        // The search for the process that has bound it ends soon, found or not.
        let named = holder.and_then(|holder| holder.pid);
        assert!(named.map_or(true, |pid| pid == std::process::id()), "{named:?}");
        let looked = lock.holder().unwrap().unwrap();
        let known_by = if listens { KnownBy::Kernel } else { KnownBy::Proc };
        assert_eq!((looked.pid, looked.known_by), (Some(std::process::id()), known_by));
        assert!(lock.is_locked().unwrap());
        drop((silent, listener));
        drop(lock.try_acquire().unwrap());
        drop(alone);
        before.end();
    }
}

fn bind_without_listening(name: &str) -> socket2::Socket {
    let address = socket2::SockAddr::unix(format!("\0/portlock/{name}")).unwrap();
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&address).unwrap();
    socket
}

/// The address of another kind of socket is another one: it keeps nobody out.
#[test]
fn a_datagram_socket_at_the_address_is_no_holder() {
    let name = unique_name("datagram");
    let address = SocketAddr::from_abstract_name(format!("/portlock/{name}")).unwrap();
    let _bound = UnixDatagram::bind_addr(&address).unwrap();
    let lock = open(&name);
    assert!(!lock.is_locked().unwrap());
    drop(lock.try_acquire().unwrap());
}
