//! Removing what a free lock has left.

use crate::error::LockError;
use crate::lock::Lock;

impl Lock {
    /// Removes what a free lock has left in `/dev/shm`: the records of a port or TCP lock (this user's; root removes
    /// those of all users), or both files of a semaphore. It takes the lock for that, so what is in use is
    /// left alone. With the record goes what the next holder would have been told of a death
    /// ([`LockGuard::recovered_from`](crate::LockGuard::recovered_from)).
    ///
    /// Those who wait for a semaphore at that moment, or have it open, make new files: programs of lockattr
    /// notice within 10 ms, or after a slice of a wait (50 ms at most). A resourcelock program that has the
    /// old files open does not notice: its acquires time out until it opens the lock anew. So only the unit of
    /// the removed semaphore is lost, and no lock has two holders.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Backend, Lock};
    /// let lock = Lock::open(Backend::Semaphore, "doc-remove-files")?;
    /// drop(lock.acquire(Duration::from_secs(1))?);
    /// lock.remove_files()?;
    /// assert!(!std::path::Path::new("/dev/shm/sem.doc-remove-files").exists());
    /// # Ok::<_, lockattr::LockError>(())
    /// ```
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire): [`LockError::Timeout`] if a process has it.
    pub fn remove_files(&self) -> Result<(), LockError> {
        self.with().info("removing its files").try_acquire()?.remove();
        Ok(())
    }
}
