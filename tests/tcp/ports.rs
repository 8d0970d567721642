//! Ports that something else than a holder of the lock has.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{KnownBy, LockError};
use socket2::{Domain, Socket, Type};

use super::names::first_port;
use super::support::{
    close, connections_to_locks, eventually, is_timeout, listen, may_be_alone, open,
};
use super::support::{say, unique_tcp, Actor, End, LONG};

fn server(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
}

#[test]
fn one_port_of_three_may_be_anothers() {
    let name = unique_tcp("one-gone");
    for index in 0..3 {
        let server = server(first_port(&name) + index);
        let guard = open(&name).try_acquire().unwrap();
        let mut other = Actor::start("wait", &name);
        other.expect("waiting");
        eventually("it waits", || connections_to_locks(other.pid()) > 0);
        assert!(open(&name).is_locked().unwrap());
        drop(guard);
        other.expect("acquired");
        assert!(is_timeout(&open(&name).try_acquire()));
        other.end();
        assert!(!open(&name).is_locked().unwrap());
        close(server);
    }
}

/// A socket that is bound and does not listen.
fn silent(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
    socket
}

/// As it is stopped by a signal, say.
#[test]
fn a_holder_that_has_yet_to_listen_at_its_second_port_is_no_other_program() {
    let name = unique_tcp("half-way");
    let _first = server(first_port(&name));
    let _second = silent(first_port(&name) + 1);
    eventually("the search is in time", || {
        let error = open(&name).try_acquire().unwrap_err();
        let LockError::Timeout { holder, .. } = &error else { panic!("{error:?}") };
        holder.as_ref().and_then(|holder| holder.pid) == Some(std::process::id())
    });
    assert!(is_timeout(&open(&name).acquire(Duration::from_millis(50))));
}

#[test]
fn two_ports_of_another_program_are_an_error_that_names_port_and_process() {
    let name = unique_tcp("two-gone");
    // This process has one, and another one the other.
    let _server = server(first_port(&name) + 2);
    let mut other = Actor::start("alone", &(first_port(&name) + 1).to_string());
    other.expect("serving");
    for timeout in [Duration::from_millis(100), Duration::ZERO] {
        let start = Instant::now();
        eventually("the search is in time", || {
            let error = open(&name).acquire(timeout).unwrap_err();
            let LockError::PortTaken { port, ref by, waited, .. } = error else {
                assert!(error.is_timeout(), "{error:?}");
                return false;
            };
            assert!(waited >= timeout);
            let Some(by) = by.as_ref().filter(|by| by.pid == Some(other.pid())) else {
                return false;
            };
            assert_eq!(port, first_port(&name) + 1);
            assert_eq!((by.pid, by.known_by), (Some(other.pid()), KnownBy::Proc));
            let said = error.to_string();
            let named = format!("by pid {} (", other.pid());
            assert!(said.contains(&port.to_string()) && said.contains(&named), "{said}");
            true
        });
        assert!(start.elapsed() >= timeout);
    }
    // Whoever waits has it when a port is free.
    thread::scope(|scope| {
        let waiter = scope.spawn(|| open(&name).acquire(LONG).map(drop));
        other.tell("stop");
        waiter.join().unwrap().unwrap();
    });
}

/// A role: listens at a port, and does nothing else.
pub(crate) fn alone(port: &str) {
    let _server = server(port.parse().unwrap());
    say("serving");
    listen();
}

/// A server that says something, and hangs up on everybody or on nobody; how many came.
fn chat(server: &TcpListener, hangs_up: bool, done: &AtomicBool) -> usize {
    let mut accepted = 0;
    server.set_nonblocking(true).unwrap();
    let mut connections: Vec<TcpStream> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        match server.accept() {
            Ok((mut connection, _)) => {
                accepted += 1;
                let _ = connection.write_all(&[b'x'; 700]);
                if !hangs_up {
                    connections.push(connection);
                }
            }
            Err(_) => thread::sleep(Duration::from_micros(200)),
        }
    }
    accepted
}

#[test]
fn servers_that_talk_or_hang_up_make_nobody_blind_and_nobody_busy() {
    for hangs_up in [false, true] {
        let name = unique_tcp("chat");
        let servers = [0, 1].map(|index| server(first_port(&name) + index));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let end = End(&done);
            let servers =
                servers.each_ref().map(|server| scope.spawn(|| chat(server, hangs_up, &done)));
            let error = open(&name).acquire(Duration::from_millis(300)).unwrap_err();
            drop(end);
            assert!(error.is_timeout(), "{error}");
            for server in servers {
                let accepted = server.join().unwrap();
                println!("{accepted} connections in 0.3 s");
                assert!((1..500).contains(&accepted), "{accepted} connections in 0.3 s");
            }
        });
        // With one of them gone, it is to be had.
        let [one, other] = servers;
        drop(one);
        eventually("what was accepted is gone", || open(&name).try_acquire().is_ok());
        drop(other);
    }
}

#[test]
fn without_a_loopback_interface_locks_work_or_say_why_not() {
    let alone = ["unshare", "--map-root-user", "--net"];
    if !may_be_alone(&alone) {
        return;
    }
    let name = unique_tcp("no-loopback");
    let mut holder = Actor::start_under(&alone, "hold", &name);
    holder.expect("holding");
    // Another network: the lock does not reach there.
    let error = open(&name).try_acquire().unwrap_err();
    assert!(matches!(error, LockError::OtherNamespace { .. }), "{error:?}");
    holder.end();
}
