//! Ports that other programs have, or want.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use lockattr::LockError;
use socket2::{Domain, Socket, Type};

use super::actor::{close, eventually, Actor, LONG};
use super::name::unique_tcp;
use super::{holder, is_timeout, open};

/// The first of a name's three ports, as k3portlock computes it.
fn first_port(name: &str) -> u16 {
    let digest = sha1_smol::Sha1::from(name).digest().bytes();
    let rest = digest.iter().fold(0_u32, |rest, byte| (rest * 256 + u32::from(*byte)) % 20_000);
    u16::try_from(40_000 + rest).unwrap()
}

fn server(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
}

/// A socket that is bound and does not listen, as k3portlock's are.
fn silent(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&address(port).into()).unwrap();
    socket
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[test]
fn one_port_of_three_may_be_a_servers() {
    let name = unique_tcp("one-gone");
    let which = format!("tcp {name}");
    for index in 0..3 {
        let server = server(first_port(&name) + index);
        let holder = holder(&which);
        assert!(is_timeout(&open(&which).try_acquire()));
        let mut waiter = Actor::start("wait", &which);
        waiter.expect("waiting");
        holder.end();
        waiter.expect("acquired");
        waiter.end();
        close(server);
    }
}

#[test]
fn with_two_ports_of_another_program_a_wait_ends_in_time_and_says_which_it_can_be() {
    let name = unique_tcp("two-gone");
    let lock = open(&format!("tcp {name}"));
    // A server's and one of k3portlock's: neither is a holder of lockattr's, which listens at both.
    let (server, silent) = (server(first_port(&name) + 1), silent(first_port(&name)));
    let timeout = Duration::from_millis(100);
    let start = Instant::now();
    eventually("the server is found", || {
        let error = lock.acquire(timeout).unwrap_err();
        let said = error.to_string();
        match error {
            // On Linux a process with both would be a holder on its way in, and this one has both.
            LockError::Timeout { .. } if cfg!(target_os = "linux") => true,
            LockError::PortTaken { port, .. } => {
                assert_eq!(port, first_port(&name) + 1);
                assert!(said.contains(&port.to_string()), "{said}");
                true
            }
            LockError::Timeout { .. } => false,
            _ => panic!("{said}"),
        }
    });
    assert!(start.elapsed() >= timeout);
    // Who waits has it when a port is free.
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(LONG).map(drop));
        drop(server);
        waiter.join().unwrap().unwrap();
    });
    drop(silent);
}

#[test]
fn programs_that_lock_by_bare_ports_are_excluded_and_exclude() {
    let name = unique_tcp("bare");
    let which = format!("tcp {name}");
    let theirs = [0, 1].map(|index| silent(first_port(&name) + index));
    let error = open(&which).acquire(Duration::from_millis(50)).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    close(theirs);
    let holder = holder(&which);
    let free = (0..3).filter(|index| can_bind(first_port(&name) + index, false)).count();
    assert_eq!(free, 1);
    holder.end();
}

/// Windows lets the second of two that bind a port decide, unless the first one has forbidden it.
#[test]
fn no_program_can_take_a_holders_ports_away() {
    let name = unique_tcp("taken-away");
    let holder = holder(&format!("tcp {name}"));
    let free = (0..3).filter(|index| can_bind(first_port(&name) + index, true)).count();
    assert_eq!(free, 1);
    holder.end();
}

fn can_bind(port: u16, reuses: bool) -> bool {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(reuses).unwrap();
    socket.bind(&address(port).into()).is_ok()
}
