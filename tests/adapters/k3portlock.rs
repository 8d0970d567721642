//! `k3portlock.Portlock`: an object that all threads of a process share.

use std::sync::{Mutex, PoisonError};
use std::thread;

use lockattr::{Backend, Lock, LockError, LockGuard};

use super::seconds;
use super::support::{unique_name, Actor};

struct Portlock {
    lock: Lock,
    timeout: f64,
    guard: Mutex<Option<LockGuard>>,
}

/// As the exception: its arguments are a message and the key.
#[derive(Debug)]
struct PortlockTimeout(#[allow(dead_code)] String, String);

impl Portlock {
    fn new(key: &str, timeout: f64) -> Result<Self, LockError> {
        let lock = Lock::open(Backend::Port, key)?;
        Ok(Self { lock, timeout, guard: Mutex::new(None) })
    }

    fn acquire(&self) -> Result<(), PortlockTimeout> {
        // A thread that has it already has it again, and gives it back at once.
        let request = self.lock.with().timeout(seconds(self.timeout)).reentrant();
        let guard = request.acquire().map_err(|error| {
            PortlockTimeout(format!("portlock timeout: {error}"), error.lock_name().to_owned())
        })?;
        self.guard().get_or_insert(guard);
        Ok(())
    }

    fn try_lock(&self) -> bool {
        match self.lock.with().reentrant().try_acquire() {
            Ok(guard) => {
                self.guard().get_or_insert(guard);
                true
            }
            Err(_) => false,
        }
    }

    fn has_locked(&self) -> bool {
        self.guard().is_some()
    }

    fn release(&self) {
        drop(self.guard().take());
    }

    /// The `with` statement.
    fn with<T>(&self, body: impl FnOnce() -> T) -> Result<T, PortlockTimeout> {
        self.acquire()?;
        let result = body();
        self.release();
        Ok(result)
    }

    fn guard(&self) -> std::sync::MutexGuard<'_, Option<LockGuard>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[test]
fn it_is_taken_tried_and_released_and_knows_whether_it_has_locked() {
    let name = unique_name("portlock");
    let (lock, other) = (Portlock::new(&name, 1.0).unwrap(), Portlock::new(&name, 0.05).unwrap());
    assert!(!lock.has_locked());
    lock.acquire().unwrap();
    lock.acquire().unwrap();
    assert!(lock.has_locked() && !other.has_locked());
    thread::scope(|scope| {
        let (tried, waited) = scope.spawn(|| (other.try_lock(), other.acquire())).join().unwrap();
        assert!(!tried);
        assert_eq!(waited.unwrap_err().1, *name);
    });
    lock.release();
    lock.release();
    assert!(!lock.has_locked() && other.try_lock());
    drop(other);
    assert_eq!(lock.with(|| lock.has_locked()).ok(), Some(true));
    assert!(!lock.has_locked());
}

#[test]
fn it_times_out_beside_another_process() {
    let name = unique_name("portlock-other");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let lock = Portlock::new(&name, 0.05).unwrap();
    assert!(!lock.try_lock());
    assert!(lock.acquire().unwrap_err().0.contains("timed out after"));
    holder.end();
    lock.acquire().unwrap();
}
