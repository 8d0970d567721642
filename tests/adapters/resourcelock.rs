//! cjnfuncs' `resource_lock`: a lock that stays taken until somebody releases it, whatever becomes of its taker.

use lockattr::{Backend, Lock, LockError, LockGuard};

use super::seconds;
use super::support::unique_semaphore;

struct ResourceLock {
    lock: Lock,
    guard: Option<LockGuard>,
    closed: bool,
}

impl ResourceLock {
    fn new(lockname: &str) -> Result<Self, LockError> {
        Ok(Self { lock: Lock::open(Backend::Semaphore, lockname)?, guard: None, closed: false })
    }

    fn get_lock(&mut self, timeout: Option<f64>, same_process_ok: bool, lock_info: &str) -> bool {
        if same_process_ok && self.i_have_the_lock() {
            return true;
        }
        let request = self.lock.with().timeout(seconds(timeout)).info(lock_info);
        match request.acquire() {
            Ok(guard) => {
                self.guard = Some(guard);
                true
            }
            // Also where this thread has it, which Python waits the timeout for.
            Err(_) => false,
        }
    }

    fn unget_lock(&mut self, force: bool) -> bool {
        if let Some(guard) = self.guard.take() {
            drop(guard);
            return true;
        }
        force && self.lock.force_release().unwrap_or(false)
    }

    fn i_have_the_lock(&self) -> bool {
        self.guard.is_some()
    }

    fn is_locked(&self) -> bool {
        self.lock.is_locked().unwrap_or(true)
    }

    /// Of more units than one nothing is said.
    fn lock_value(&self) -> u32 {
        u32::from(!self.is_locked())
    }

    /// Without the time in front of it, which is [`Holder::since`](lockattr::Holder::since).
    fn get_lock_info(&self) -> String {
        let last = self.lock.last_holder().ok().flatten();
        last.and_then(|holder| holder.info).unwrap_or_default()
    }

    /// Only of the lock that is held: over another one's text, this does not write.
    fn set_lock_info(&self, lock_info: &str) -> bool {
        self.guard.as_ref().is_some_and(|guard| guard.set_info(lock_info).is_ok())
    }

    fn close(&mut self) {
        self.closed = true;
    }
}

/// As in Python, where nothing is released by the end of an object or of a process.
impl Drop for ResourceLock {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take() {
            guard.detach().expect("a semaphore can be left taken");
        }
    }
}

#[test]
fn the_steps_of_its_demo_have_the_results_that_it_expects() {
    let name = unique_semaphore("resourcelock");
    let mut lock = ResourceLock::new(&name).unwrap();
    assert_eq!((lock.is_locked(), lock.get_lock_info().as_str()), (false, ""));
    assert!(lock.get_lock(Some(0.1), false, "Lock in test #2"));
    assert_eq!((lock.is_locked(), lock.lock_value()), (true, 0));
    assert!(lock.i_have_the_lock());
    assert_eq!(lock.get_lock_info(), "Lock in test #2");

    let mut other = ResourceLock::new(&name).unwrap();
    assert!(!other.get_lock(Some(0.1), false, "Lock try in test #3"));
    assert!(lock.get_lock(Some(0.1), true, "Lock try in test #4"));
    assert_eq!(lock.get_lock_info(), "Lock in test #2");
    assert!(lock.set_lock_info("half way"));
    assert!(!other.set_lock_info("not mine"));
    assert_eq!(other.get_lock_info(), "half way");

    assert!(lock.unget_lock(false), "in test #5");
    assert!(!lock.unget_lock(false), "in test #6");
    assert_eq!((lock.lock_value(), lock.get_lock_info().as_str()), (1, "half way"));
    lock.close();
    assert!(lock.closed && !other.closed);
}

#[test]
fn a_lock_stays_taken_until_it_is_released_by_force() {
    let name = unique_semaphore("resourcelock-left");
    let mut lock = ResourceLock::new(&name).unwrap();
    assert!(lock.get_lock(None, false, "Lock in test #7"));
    drop(lock);
    let mut other = ResourceLock::new(&name).unwrap();
    assert!(other.is_locked() && !other.i_have_the_lock());
    assert!(!other.unget_lock(false), "in test #7");
    assert!(other.unget_lock(true), "in test #8");
    assert!(!other.unget_lock(true), "in test #9");
    assert!(other.get_lock(Some(0.1), false, "again") && other.unget_lock(false));
}
