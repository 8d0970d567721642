//! What users of the feature `tracing` are told beside results. Without it these do nothing.

use std::io;

/// The record of `lock` cannot be written: the lock works, and nobody can see from where it is held.
pub(crate) fn record_unavailable(lock: &str, error: &io::Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(lock, %error, "the lock's record cannot be written: others will not see from where it is held");
    #[cfg(not(feature = "tracing"))]
    let _ = (lock, error);
}

/// Each use of a lock asks for the pid. Said once.
pub(crate) fn asks_for_the_pid() {
    #[cfg(feature = "tracing")]
    {
        use std::sync::atomic::{AtomicBool, Ordering};

        static SAID: AtomicBool = AtomicBool::new(false);
        if !SAID.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the kernel wipes no page at a fork (madvise(2), MADV_WIPEONFORK): each use of a lock asks \
                 for the pid"
            );
        }
    }
}

/// The semaphore of `lock` had more units than one: somebody released by force what was not taken, or
/// not dead.
pub(crate) fn surplus_units(lock: &str, units: u32) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        lock,
        units,
        "somebody has posted the semaphore once too often: lockattr's programs still exclude each other, \
         others may have come in beside them"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (lock, units);
}

/// The owner word of `lock` was another one at the release: somebody has written over it.
pub(crate) fn torn_away(lock: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(lock, "the lock was taken away while it was held: its record was written over");
    #[cfg(not(feature = "tracing"))]
    let _ = lock;
}
