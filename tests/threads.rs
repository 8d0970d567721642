//! Threads of one process: they exclude each other, and are told when they would wait for themselves.

#![allow(unsafe_code)] // atexit

#[path = "support/leftovers.rs"]
mod leftovers;
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Lock, LockError, LockGuard};
use support::{hold, is_timeout, on_each_backend, open, unique_name, Actor, LONG};

#[test]
fn role() {
    support::play(&[("hold", hold)]);
}

#[test]
fn threads_of_one_process_exclude_each_other() {
    on_each_backend("threads", |name| {
        let inside = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    // A lock of its own, which is the same lock.
                    let lock = open(name);
                    for _ in 0..500 {
                        let _guard = lock.acquire(LONG).unwrap();
                        assert!(!inside.swap(true, Ordering::Relaxed));
                        thread::yield_now();
                        inside.store(false, Ordering::Relaxed);
                    }
                });
            }
        });
    });
}

#[test]
fn a_thread_that_holds_is_told_and_not_left_waiting() {
    let (name, other) = (unique_name("nested"), unique_name("nested-other"));
    let guard = open(&name).acquire(LONG).unwrap();
    for error in [open(&name).acquire(LONG), open(&name).try_acquire()] {
        let error = error.unwrap_err();
        assert!(matches!(error, LockError::WouldDeadlock { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.contains("holds it already, in threads-"), "{told}");
        assert!(told.contains(concat!(" (", file!(), ":")), "{told}");
    }
    // Another lock is no deadlock, and neither is another thread, which just has to wait.
    drop(open(&other).acquire(LONG).unwrap());
    thread::scope(|scope| {
        assert!(is_timeout(&scope.spawn(|| open(&name).try_acquire()).join().unwrap()));
    });
    drop(guard);
    drop(open(&name).acquire(LONG).unwrap());
}

#[test]
fn a_reentrant_acquire_enters_again_and_the_last_guard_gives_the_lock_back() {
    on_each_backend("reentrant", |name| {
        let lock = open(name);
        for first_goes_first in [false, true] {
            let first = lock.with().timeout(LONG).reentrant().acquire().unwrap();
            let second = lock.with().timeout(LONG).reentrant().acquire().unwrap();
            assert!(matches!(lock.acquire(LONG), Err(LockError::WouldDeadlock { .. })));
            let (gone, left) = if first_goes_first { (first, second) } else { (second, first) };
            drop(gone);
            assert!(lock.is_locked().unwrap());
            thread::scope(|scope| {
                let other = scope.spawn(|| lock.with().reentrant().try_acquire());
                assert!(is_timeout(&other.join().unwrap()), "another thread does not enter");
            });
            drop(left);
            assert!(!lock.is_locked().unwrap());
        }
    });
}

#[test]
fn several_locks_are_taken_all_or_none_and_never_in_a_circle() {
    let (a, b) = (unique_name("all-a"), unique_name("all-b"));
    let (a, b) = (open(&a), open(&b));
    let inside = &AtomicBool::new(false);
    thread::scope(|scope| {
        for order in [[&a, &b], [&b, &a]] {
            scope.spawn(move || {
                for _ in 0..500 {
                    let guards = lockattr::acquire_all(order, LONG).unwrap();
                    assert_eq!(guards.each_ref().map(LockGuard::lock_name), order.map(Lock::name));
                    assert!(!inside.swap(true, Ordering::Relaxed));
                    inside.store(false, Ordering::Relaxed);
                }
            });
        }
    });

    let mut holder = Actor::start("hold", b.name());
    holder.expect("holding");
    let start = Instant::now();
    let error = lockattr::acquire_all([&b, &a], Duration::from_millis(50)).unwrap_err();
    assert_eq!((error.is_timeout(), error.lock_name()), (true, b.name()));
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert!(!a.is_locked().unwrap(), "none is kept");
    holder.end();
    let twice = lockattr::acquire_all([&a, &a], LONG).unwrap_err();
    assert!(matches!(twice, LockError::WouldDeadlock { .. }));
    assert!(!a.is_locked().unwrap());
}

#[test]
fn a_guard_can_be_dropped_in_another_thread() {
    on_each_backend("sent", |name| {
        let guard = open(name).acquire(LONG).unwrap();
        thread::spawn(move || drop(guard)).join().unwrap();
        drop(open(name).try_acquire().unwrap());
    });
}

#[test]
fn statics_of_one_name_are_one_lock() {
    static ONE: Lock = Lock::port("test-statics-of-one-name");
    static OTHER: Lock = Lock::port("test-statics-of-one-name");
    leftovers::remove_at_exit("threads", &["test-statics-of-one-name"]);
    let guard = ONE.acquire(LONG).unwrap();
    assert!(matches!(OTHER.acquire(LONG), Err(LockError::WouldDeadlock { .. })));
    drop(guard);
}
