//! Processes that share locks: who gets in, in which order, and who does not.

mod support;

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Backend, KnownBy, LockError, Tenure};
use support::{backend, eventually, hold, is_timeout, listen, on_each_backend, open, say};
use support::{unique_name, wait, waits, waits_in_queue, Actor, LONG};

#[test]
fn role() {
    support::play(&[("hold", hold), ("wait", wait), ("contend", contend)]);
}

#[test]
fn a_lock_held_by_another_process_is_refused_and_its_holder_named() {
    on_each_backend("holder", |name| {
        let lock = open(name);
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");

        let error = lock.acquire(Duration::from_millis(50)).unwrap_err();
        let LockError::Timeout { waited, holder: Some(named), .. } = &error else {
            panic!("{error:?}");
        };
        assert!(*waited >= Duration::from_millis(50), "{waited:?}");
        assert_eq!(named.pid, Some(holder.pid()));
        assert_eq!(named.uid, Some(nix::unistd::getuid().as_raw()));
        assert_eq!(named.info.as_deref(), Some("the test's holder"));
        assert_eq!(named.command, Some(command()));
        assert_eq!(named.tenure, Tenure::Holds);
        assert_eq!(named.known_by, known_by(backend(name)));
        assert!(named.thread.is_some());
        assert!(named.since.unwrap() <= std::time::SystemTime::now());
        assert!(named.held_for.unwrap() >= Duration::from_millis(50));
        let text = error.to_string();
        // How long exactly depends on the machine's load.
        assert!(text.starts_with(&format!("lock \"{name}\": timed out after ")), "{text}");
        assert!(text.contains(" s; held for "), "{text}");
        let end = format!(" by pid {} ({}) in the test's holder", holder.pid(), command());
        assert!(text.ends_with(&end), "{text}");

        let tried = lock.try_acquire().unwrap_err();
        assert!(matches!(&tried, LockError::Timeout { holder: Some(named), waited, .. }
        if named.pid == Some(holder.pid()) && waited.is_zero()));
        assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));

        holder.tell("release");
        holder.expect("released");
        drop(lock.try_acquire().unwrap());
        holder.end();
    });
}

fn known_by(backend: Backend) -> KnownBy {
    match backend {
        Backend::Port => KnownBy::Kernel,
        Backend::Tcp => KnownBy::Proc,
        _ => KnownBy::Record,
    }
}

/// This binary's name, as `/proc/PID/comm` shows it.
fn command() -> String {
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    comm.trim_end().to_owned()
}

#[test]
fn ten_waiters_are_served_in_the_order_they_came() {
    let name = unique_name("fifo");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut waiters: Vec<Actor> = (0..10)
        .map(|_| {
            let mut waiter = Actor::start("wait", &name);
            waiter.expect("waiting");
            eventually("the waiter waits", || waits_in_queue(waiter.pid()));
            waiter
        })
        .collect();
    holder.tell("release");
    // Each holds until it is told to end: whoever else had it first would keep this from ending.
    for mut waiter in waiters.drain(..) {
        waiter.expect("acquired");
        assert_eq!(open(&name).holder().unwrap().unwrap().pid, Some(waiter.pid()));
        waiter.end();
    }
    holder.end();
}

#[test]
fn a_timeout_is_not_early_and_the_queue_is_left() {
    on_each_backend("timeout", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let lock = open(name);
        for millis in [1, 7, 30, 110] {
            let timeout = Duration::from_millis(millis);
            let start = Instant::now();
            assert!(is_timeout(&lock.acquire(timeout)));
            let waited = start.elapsed();
            assert!(waited >= timeout, "{waited:?} for {timeout:?}");
            assert!(waited < timeout + Duration::from_secs(2), "{waited:?} for {timeout:?}");
        }
        // What the timed-out waiters left in the queue is passed over.
        let mut waiter = Actor::start("wait", name);
        waiter.expect("waiting");
        eventually("the waiter waits", || waits(name, waiter.pid()));
        holder.tell("release");
        waiter.expect("acquired");
        waiter.end();
        holder.end();
    });
}

#[test]
fn a_waiter_that_dies_does_not_stop_the_queue() {
    let name = unique_name("dead-waiter");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let start_waiter = || {
        let mut waiter = Actor::start("wait", &name);
        waiter.expect("waiting");
        eventually("the waiter waits", || waits_in_queue(waiter.pid()));
        waiter
    };
    let (first, mut second) = (start_waiter(), start_waiter());
    first.kill();
    holder.tell("release");
    second.expect("acquired");
    second.end();
    holder.end();
}

#[test]
fn a_waiter_that_stops_still_keeps_others_out_once_the_lock_is_its_own() {
    let name = unique_name("stopped");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut waiter = Actor::start("wait", &name);
    waiter.expect("waiting");
    eventually("the waiter waits", || waits_in_queue(waiter.pid()));
    waiter.stop();
    holder.tell("release");
    holder.expect("released");
    // On its way to a process that does not run: taken, and nobody waits for more than his time.
    let lock = open(&name);
    let time_of_a_timeout = || {
        let start = Instant::now();
        assert!(is_timeout(&lock.acquire(Duration::from_millis(20))));
        start.elapsed()
    };
    let shortest = (0..5).map(|_| time_of_a_timeout()).min().unwrap();
    assert!(shortest < Duration::from_millis(120), "{shortest:?}");
    waiter.signal(nix::sys::signal::Signal::SIGCONT);
    waiter.expect("acquired");
    waiter.end();
    holder.end();
}

/// Takes the lock again and again; whoever finds the shared file changed under the lock says so.
fn contend(argument: &str) {
    let (name, path) = argument.split_once(' ').unwrap();
    let lock = open(name);
    say("ready");
    listen();
    for _ in 0..300 {
        let guard = lock.acquire(LONG).unwrap();
        let count: u32 = std::fs::read_to_string(path).unwrap().parse().unwrap();
        thread::yield_now();
        std::fs::write(path, (count + 1).to_string()).unwrap();
        drop(guard);
    }
    say("done");
}

#[test]
fn eight_processes_never_meet() {
    on_each_backend("contend", |name| {
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "0").unwrap();
        let argument = format!("{name} {}", path.display());
        let mut actors: Vec<Actor> = (0..8).map(|_| Actor::start("contend", &argument)).collect();
        for actor in &mut actors {
            actor.expect("ready");
        }
        for actor in &mut actors {
            actor.tell("go");
        }
        for mut actor in actors {
            actor.expect("done");
            actor.end();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2400");
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn a_full_queue_is_waited_out() {
    let name = unique_name("full");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    // Each connection that is made and dropped leaves an entry in the holder's queue. This one makes
    // them with sockets of its own: what else would fill a queue is a queue full of waiters.
    let address = socket2::SockAddr::unix(format!("\0/portlock/{name}")).unwrap();
    let mut entries = 0;
    while socket(&address).is_ok() {
        entries += 1;
        assert!(entries < 100_000, "the queue is never full");
    }
    let lock = open(&name);
    assert!(lock.is_locked().unwrap());
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
    assert!(is_timeout(&lock.acquire(Duration::from_millis(30))));
    let mut waiter = Actor::start("wait", &name);
    waiter.expect("waiting");
    holder.tell("release");
    waiter.expect("acquired");
    waiter.end();
    holder.end();
}

/// A connection without a name, closed at once.
fn socket(address: &socket2::SockAddr) -> std::io::Result<()> {
    let kind = socket2::Type::STREAM.nonblocking();
    socket2::Socket::new(socket2::Domain::UNIX, kind, None)?.connect(address)
}

#[test]
fn connections_of_strangers_are_handed_nothing() {
    use std::os::linux::net::SocketAddrExt;
    let name = unique_name("strangers");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let address =
        std::os::unix::net::SocketAddr::from_abstract_name(format!("/portlock/{name}")).unwrap();
    let strangers: Vec<UnixStream> =
        (0..20).map(|_| UnixStream::connect_addr(&address).unwrap()).collect();
    drop(guard);
    for mut stranger in strangers {
        let got = std::io::Read::read(&mut stranger, &mut [0; 8]);
        assert!(!matches!(got, Ok(1..)), "{got:?}");
    }
    drop(lock.try_acquire().unwrap());
}
