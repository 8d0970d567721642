//! What users of the feature `tracing` are told beside results. Without it these do nothing.

use std::io;

/// The record of `lock` cannot be written: the lock works, and nobody can see from where it is held.
pub(crate) fn record_unavailable(lock: &str, error: &io::Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(lock, %error, "the lock's record cannot be written: others will not see from where it is held");
    #[cfg(not(feature = "tracing"))]
    let _ = (lock, error);
}
