//! Waits that are ended from outside.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use lockattr::{all, Backend, Cancel, Lock, LockError};
use support::{
    connections_to_locks, eventually, hold, on_each_backend, open, queued, unique_name, Actor, LONG,
};

/// A cancelled wait ends within that, also on a busy machine.
const SOON: Duration = Duration::from_secs(2);

#[test]
fn role() {
    support::play(&[("hold", hold)]);
}

/// How many threads and tasks of this process wait. Of a semaphore's waiters the first is in no queue.
fn waiting(lock: &Lock) -> usize {
    match lock.backend() {
        Backend::Port => queued(lock.name(), std::process::id()),
        Backend::Tcp => {
            let this = std::process::id();
            queued(lock.name(), this) + connections_to_locks(this) / 2
        }
        _ => queued(lock.name(), std::process::id()) + 1,
    }
}

fn is_cancelled<T>(result: &Result<T, LockError>) -> bool {
    matches!(result, Err(LockError::Cancelled { .. }))
}

#[test]
fn a_cancelled_wait_ends_at_once_and_leaves_the_queue() {
    on_each_backend("wait", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let cancel = Cancel::new();
        let lock = open(name);
        thread::scope(|scope| {
            let wait = || {
                let result = lock.with().timeout(LONG).cancelled_by(&cancel).acquire();
                (result.map(drop), Instant::now())
            };
            let waiters: Vec<_> = (0..3).map(|_| scope.spawn(wait)).collect();
            eventually("they wait", || waiting(&lock) >= 3);
            assert!(!cancel.is_cancelled());
            let start = Instant::now();
            cancel.clone().cancel();
            for waiter in waiters {
                let (result, ended) = waiter.join().unwrap();
                assert!(is_cancelled(&result), "{result:?}");
                // Of TCP locks the other tests' waiters are counted, too: one may not have come to wait.
                let has_waited = result.unwrap_err().waited() > Duration::ZERO;
                assert!(has_waited || lock.backend() == Backend::Tcp);
                assert!(ended - start < SOON, "{:?}", ended - start);
            }
        });
        assert!(is_cancelled(&lock.with().timeout(LONG).cancelled_by(&cancel).acquire()));
        holder.end();
        drop(lock.acquire(LONG).unwrap());
    });
}

#[test]
fn a_cancellation_before_the_wait_takes_nothing_and_one_after_the_grant_changes_nothing() {
    on_each_backend("before", |name| {
        let (cancel, lock) = (Cancel::default(), open(name));
        let request = lock.with().timeout(LONG).cancelled_by(&cancel);
        let guard = request.acquire().unwrap();
        cancel.cancel();
        cancel.cancel();
        assert!(lock.is_held_by_thread());
        guard.set_info("goes on").unwrap();
        drop(guard);
        for result in [request.acquire(), request.try_acquire()] {
            let error = result.unwrap_err();
            assert!(
                matches!(error, LockError::Cancelled { waited: Duration::ZERO, .. }),
                "{error}"
            );
            assert!(error.to_string().ends_with("cancelled before it was waited for"), "{error}");
        }
        assert!(!lock.is_locked().unwrap());
    });
}

#[test]
fn of_several_locks_none_is_kept() {
    let (free, taken) = (unique_name("several-a"), unique_name("several-b"));
    let mut holder = Actor::start("hold", &taken);
    holder.expect("holding");
    let cancel = Cancel::new();
    let locks: [Lock; 2] = [open(&free), open(&taken)];
    thread::scope(|scope| {
        let waiter = scope.spawn(|| all(&locks).timeout(LONG).cancelled_by(&cancel).acquire());
        eventually("it queues", || queued(&taken, std::process::id()) == 1);
        assert!(locks[0].is_locked().unwrap());
        cancel.cancel();
        let error = waiter.join().unwrap().unwrap_err();
        assert!(matches!(error, LockError::Cancelled { .. }) && error.lock_name() == &*taken);
    });
    assert!(!locks[0].is_locked().unwrap());
    holder.end();
}

#[cfg(feature = "async")]
#[test]
fn a_task_that_waits_is_cancelled_too() {
    on_each_backend("task", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let (cancel, lock) = (Cancel::new(), open(name));
        thread::scope(|scope| {
            let wait = || {
                let one = || lock.with().timeout(LONG).cancelled_by(&cancel).acquire_async();
                futures_lite::future::block_on(futures_lite::future::zip(one(), one()))
            };
            let waiter = scope.spawn(wait);
            eventually("they wait", || waiting(&lock) >= 2);
            let start = Instant::now();
            cancel.cancel();
            let (one, other) = waiter.join().unwrap();
            assert!(is_cancelled(&one) && is_cancelled(&other), "{one:?} {other:?}");
            assert!(start.elapsed() < SOON);
        });
        holder.end();
        drop(lock.acquire(LONG).unwrap());
    });
}
