//! Python's `filelock.FileLock`: one that counts how often it was acquired.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Backend, Cancel, Lock, LockError, LockGuard};

use super::seconds;
use super::support::{unique_name, Actor, LONG};

struct FileLock {
    lock: Lock,
    timeout: f64,
    blocking: bool,
    guard: Option<LockGuard>,
    lock_counter: u32,
}

/// What `acquire` may be told, each in place of the lock's own.
#[derive(Default)]
struct Arguments<'a> {
    timeout: Option<f64>,
    /// Only for `cancel_check`: nothing else is polled.
    poll_interval: Option<f64>,
    blocking: Option<bool>,
    cancel_check: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl FileLock {
    fn new(name: &str, timeout: f64, blocking: bool) -> Result<Self, LockError> {
        let lock = Lock::open(Backend::Port, name)?;
        Ok(Self { lock, timeout, blocking, guard: None, lock_counter: 0 })
    }

    fn acquire(&mut self, arguments: &Arguments<'_>) -> Result<(), LockError> {
        if self.guard.is_none() {
            let is_blocking = arguments.blocking.unwrap_or(self.blocking);
            let timeout = seconds(arguments.timeout.unwrap_or(self.timeout));
            let request = self.lock.with().timeout(timeout);
            self.guard = Some(match arguments.cancel_check {
                _ if !is_blocking => request.try_acquire()?,
                None => request.acquire()?,
                Some(check) => {
                    let (cancel, is_over) = (Cancel::new(), AtomicBool::new(false));
                    let pause = seconds(arguments.poll_interval.unwrap_or(0.05));
                    thread::scope(|scope| {
                        scope.spawn(|| {
                            while !is_over.load(Ordering::Relaxed) && !cancel.is_cancelled() {
                                if check() {
                                    cancel.cancel();
                                }
                                thread::park_timeout(pause);
                            }
                        });
                        let acquired = request.cancelled_by(&cancel).acquire();
                        is_over.store(true, Ordering::Relaxed);
                        acquired
                    })?
                }
            });
        }
        self.lock_counter += 1;
        Ok(())
    }

    fn release(&mut self, force: bool) {
        self.lock_counter = if force { 0 } else { self.lock_counter.saturating_sub(1) };
        if self.lock_counter == 0 {
            self.guard = None;
        }
    }

    /// Whether this object holds it.
    fn is_locked(&self) -> bool {
        self.guard.is_some()
    }
}

#[test]
fn it_counts_and_is_given_back_with_the_last_release_or_by_force() {
    let name = unique_name("filelock");
    let mut lock = FileLock::new(&name, -1.0, true).unwrap();
    let any = Arguments::default();
    for count in 1..=3 {
        lock.acquire(&any).unwrap();
        assert_eq!((lock.is_locked(), lock.lock_counter), (true, count));
    }
    lock.release(false);
    assert_eq!((lock.is_locked(), lock.lock_counter), (true, 2));
    lock.release(true);
    assert_eq!((lock.is_locked(), lock.lock_counter), (false, 0));
    lock.release(false);
    lock.acquire(&any).unwrap();
    drop(lock);
    assert!(!Lock::open(Backend::Port, &name).unwrap().is_locked().unwrap());
}

#[test]
fn it_times_out_is_not_blocking_or_is_cancelled() {
    let name = unique_name("filelock-waits");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut lock = FileLock::new(&name, 0.05, true).unwrap();
    assert!(lock.acquire(&Arguments::default()).unwrap_err().waited() >= Duration::from_millis(50));
    lock.timeout = -1.0;
    let at_once = Arguments { blocking: Some(false), ..Arguments::default() };
    assert!(lock.acquire(&at_once).unwrap_err().is_timeout());
    let briefly = Arguments { timeout: Some(0.01), ..Arguments::default() };
    assert!(lock.acquire(&briefly).unwrap_err().is_timeout());

    let start = Instant::now();
    let check = || start.elapsed() > Duration::from_millis(20);
    let cancelled = Arguments {
        poll_interval: Some(0.005),
        cancel_check: Some(&check),
        ..Arguments::default()
    };
    let error = lock.acquire(&cancelled).unwrap_err();
    assert!(matches!(error, LockError::Cancelled { .. }), "{error}");
    assert!(start.elapsed() < LONG && !lock.is_locked() && lock.lock_counter == 0);
    holder.end();
    lock.acquire(&Arguments::default()).unwrap();
}
