//! How waits end.

use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Cancel, LockError};

use super::actor::{eventually, Actor, LONG};
use super::{holder, is_timeout, on_each_backend};

#[test]
fn a_wait_ends_after_its_timeout_and_not_before() {
    on_each_backend("timeout", |which, lock| {
        let holder = holder(which);
        for timeout in [Duration::ZERO, Duration::from_millis(50)] {
            let start = Instant::now();
            let outcome = lock.acquire(timeout);
            let took = start.elapsed();
            assert!(is_timeout(&outcome), "{which}: {outcome:?}");
            assert!(timeout <= took && took < LONG / 2, "{which}: {took:?}");
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains(lock.name()), "{error}");
            if cfg!(unix) && !timeout.is_zero() {
                assert!(error.contains(&format!("pid {}", holder.pid())), "{error}");
            }
        }
        holder.end();
    });
}

#[test]
fn a_release_ends_a_wait() {
    on_each_backend("release", |which, _| {
        let mut holder = holder(which);
        let mut waiters = [Actor::start("wait", which), Actor::start("wait", which)];
        for waiter in &mut waiters {
            waiter.expect("waiting");
        }
        holder.tell("release");
        holder.expect("released");
        // Each holds until its input ends, so one has it first.
        let [one, other] = waiters.map(|mut waiter| {
            thread::spawn(move || {
                waiter.expect("acquired");
                waiter.end();
            })
        });
        one.join().unwrap();
        other.join().unwrap();
        holder.end();
    });
}

#[test]
fn a_wait_ends_when_it_is_cancelled() {
    on_each_backend("cancel", |which, lock| {
        let holder = holder(which);
        let cancel = Cancel::new();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                lock.with().timeout(Duration::MAX).cancelled_by(&cancel).acquire().map(drop)
            });
            thread::sleep(Duration::from_millis(20)); // mostly it waits by then; and must end in any case
            cancel.cancel();
            let outcome = waiter.join().unwrap();
            assert!(matches!(outcome, Err(LockError::Cancelled { .. })), "{which}: {outcome:?}");
        });
        assert!(lock.is_locked().unwrap(), "{which}");
        holder.end();
        eventually("the lock is free", || lock.try_acquire().is_ok());
    });
}
