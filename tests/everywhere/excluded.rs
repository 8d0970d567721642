//! Processes exclude each other, and so do threads.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use lockattr::{Backend, Lock, LockError};

use super::actor::{listen, say, Actor, LONG};
use super::name::unique_name;
use super::{holder, is_timeout, on_each_backend, open};

const ROUNDS: usize = 200;

/// A role: adds 1 to the number in a file, under the lock. What another process writes in between would be lost.
pub(crate) fn count(argument: &str) {
    let (file, which) = argument.split_once('\n').unwrap();
    let lock = open(which);
    say("ready");
    listen();
    for _ in 0..ROUNDS {
        let _guard = lock.acquire(LONG).unwrap();
        add_one(Path::new(file));
    }
    say("done");
    listen();
}

fn add_one(file: &Path) {
    let number: usize = fs::read_to_string(file).unwrap().parse().unwrap();
    fs::write(file, (number + 1).to_string()).unwrap();
}

#[test]
fn no_addition_of_four_processes_is_lost() {
    on_each_backend("count", |which, lock| {
        let file = std::env::temp_dir().join(format!("lockattr-{}", lock.name()));
        fs::write(&file, "0").unwrap();
        let argument = format!("{}\n{which}", file.display());
        let mut actors: Vec<_> = (0..4).map(|_| Actor::start("count", &argument)).collect();
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
        assert_eq!(fs::read_to_string(&file).unwrap(), (4 * ROUNDS).to_string(), "{which}");
        fs::remove_file(file).unwrap();
    });
}

#[test]
fn no_addition_of_four_threads_is_lost() {
    on_each_backend("threads", |which, lock| {
        let number = AtomicUsize::new(0);
        let add = || {
            for _ in 0..ROUNDS {
                let _guard = lock.acquire(LONG).unwrap();
                let before = number.load(Ordering::Relaxed);
                thread::yield_now();
                number.store(before + 1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(add);
            }
        });
        assert_eq!(number.into_inner(), 4 * ROUNDS, "{which}");
    });
}

#[test]
fn locks_of_other_names_are_apart() {
    on_each_backend("apart", |which, _| {
        let holder = holder(which);
        drop(open(&format!("{which}.other")).acquire(LONG).unwrap());
        holder.end();
    });
}

#[test]
fn a_thread_that_holds_is_told_that_it_would_wait_for_itself_and_may_enter_again() {
    on_each_backend("again", |which, lock| {
        let guard = lock.acquire(LONG).unwrap();
        let error = lock.acquire(LONG).unwrap_err();
        assert!(matches!(error, LockError::WouldDeadlock { .. }), "{which}: {error}");
        // Another thread waits.
        thread::scope(|scope| {
            scope.spawn(|| assert!(is_timeout(&lock.try_acquire()), "{which}"));
        });
        drop(guard);
        let outer = lock.with().reentrant().acquire().unwrap();
        drop(lock.with().reentrant().acquire().unwrap());
        assert!(lock.is_held_by_thread() && lock.is_held_by_process(), "{which}");
        drop(outer);
        assert!(!lock.is_held_by_process(), "{which}");
    });
}

#[test]
fn a_lock_says_whether_it_is_held() {
    on_each_backend("held", |which, lock| {
        assert!(!lock.is_locked().unwrap(), "{which}");
        let mut other = holder(which);
        assert!(lock.is_locked().unwrap(), "{which}");
        // Where there are records, they name the process.
        let pid = lock.holder().unwrap().expect("somebody holds").pid;
        let expected = if cfg!(unix) { Some(other.pid()) } else { None };
        assert_eq!(pid, expected, "{which}");
        other.tell("release");
        other.expect("released");
        assert!(!lock.is_locked().unwrap() && lock.holder().unwrap().is_none(), "{which}");
        other.end();
    });
}

#[test]
fn where_there_are_no_abstract_sockets_a_port_is_a_tcp_lock() {
    let name = unique_name("one-lock");
    let (port, tcp) = (Lock::open(Backend::Port, &name), Lock::open(Backend::Tcp, &name));
    let (port, tcp) = (port.unwrap(), tcp.unwrap());
    assert_eq!(tcp.backend(), Backend::Tcp);
    if cfg!(any(target_os = "linux", target_os = "android")) {
        assert_eq!(port.backend(), Backend::Port);
        return;
    }
    assert_eq!(port.backend(), Backend::Tcp);
    let holder = holder(&format!("port {name}"));
    assert!(is_timeout(&tcp.try_acquire()));
    holder.end();
    drop(tcp.acquire(LONG).unwrap());
}

#[test]
fn semaphores_are_refused_by_a_sentence_where_there_are_none() {
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        return;
    }
    let error = Lock::open(Backend::Semaphore, "none").unwrap_err();
    let LockError::Io { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.kind(), std::io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("takes Linux and glibc"), "{error}");
}

#[test]
fn devices_are_refused_by_a_sentence_where_nothing_tells_of_them() {
    if cfg!(any(target_os = "linux", target_os = "android")) {
        return;
    }
    let error = Lock::device("/dev/i2c-1").unwrap_err();
    assert!(matches!(error, LockError::NoDevice { .. }), "{error:?}");
    assert!(error.to_string().contains("Linux"), "{error}");
}
