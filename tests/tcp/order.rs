//! The order in which waiters are served, and what it is lost by: never the lock.

use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use socket2::{Domain, SockAddr, Socket, Type};

use super::support::{connections_to_locks, eventually, is_timeout, open, queued};
use super::support::{unique_tcp, Actor, LONG};

/// Processes that wait, each once the one before does.
fn line_up(name: &str, count: usize) -> Vec<Actor> {
    let line_up = |number| {
        let mut actor = Actor::start("wait", name);
        actor.expect("waiting");
        match number {
            0 => eventually("it is at the ports", || connections_to_locks(actor.pid()) == 2),
            _ => eventually("it queues", || queued(name, actor.pid()) > 0),
        }
        actor
    };
    (0..count).map(line_up).collect()
}

#[test]
fn waiters_are_served_in_the_order_they_came() {
    let name = unique_tcp("in-turn");
    let guard = open(&name).acquire(LONG).unwrap();
    let waiters = line_up(&name, 5);
    assert!(waiters[1..].iter().all(|waiter| connections_to_locks(waiter.pid()) == 0));
    drop(guard);
    for mut waiter in waiters {
        waiter.expect("acquired");
        waiter.end();
    }
    drop(open(&name).try_acquire().unwrap());
}

#[test]
fn a_waiter_that_is_killed_at_the_ports_gives_its_place_to_another() {
    let name = unique_tcp("killed-in-turn");
    let guard = open(&name).acquire(LONG).unwrap();
    let mut waiters = line_up(&name, 3);
    waiters.remove(0).kill();
    // All are woken by its death: so either may be the first.
    eventually("another one is at the ports", || {
        waiters.iter().any(|waiter| connections_to_locks(waiter.pid()) == 2)
    });
    drop(guard);
    for waiter in &mut waiters {
        waiter.tell("release");
    }
    for mut waiter in waiters {
        waiter.expect("acquired");
        waiter.end();
    }
}

#[test]
fn behind_a_stopped_waiter_the_others_get_the_lock() {
    let name = unique_tcp("stopped");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let mut waiters = line_up(&name, 4);
    let mut stopped = waiters.remove(0);
    stopped.stop();
    for waiter in &mut waiters {
        waiter.tell("release");
    }
    drop(guard);
    for mut waiter in waiters {
        waiter.expect("acquired");
        waiter.end();
    }
    // In time, however short the wait is. (On a busy machine one or the other may end before it comes to try.)
    assert!((0..5).any(|_| lock.acquire(Duration::from_millis(100)).is_ok()));
    stopped.signal(Signal::SIGCONT);
    stopped.expect("acquired");
    assert!(is_timeout(&lock.try_acquire()));
    stopped.end();
}

#[test]
fn beside_a_program_that_has_bound_the_address_of_the_queue_the_others_get_the_lock() {
    for listens in [true, false] {
        let name = unique_tcp("squatted");
        let digest = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let squatter = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        squatter.bind(&SockAddr::unix(format!("\0/tcpturn/{digest:016x}")).unwrap()).unwrap();
        if listens {
            squatter.listen(8).unwrap();
        }
        let guard = open(&name).acquire(LONG).unwrap();
        let timeout = Duration::from_millis(60);
        thread::scope(|scope| {
            scope.spawn(|| assert!(is_timeout(&open(&name).acquire(timeout)))).join().unwrap();
            let waiters: Vec<_> =
                (0..3).map(|_| scope.spawn(|| open(&name).acquire(LONG).map(drop))).collect();
            drop(guard);
            for waiter in waiters {
                waiter.join().unwrap().unwrap();
            }
        });
        drop(open(&name).try_acquire().unwrap());
    }
}
