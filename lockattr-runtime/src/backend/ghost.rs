//! A lock that was given back and is still bound: a ghost.
//!
//! Between `fork` (or `vfork`, `posix_spawn`) and `exec`, a child has copies of the descriptors that
//! another thread of its parent holds locks by, for close-on-exec acts at `exec` only. If the lock is
//! given back meanwhile, its address stays bound for that moment, with nobody there. Who waits
//! is woken when the copy goes, and notices nothing; but who tries once would be told that the
//! lock is taken, often by the very thread that has just given it back.

use std::time::Duration;

use crate::record::Grant;
use crate::sys::clock;

/// How long to wait for a ghost to go. It takes a child well under a millisecond to come to its
/// `exec`, but a busy machine may not run it at once.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);

/// How long after its release a lock can have a ghost, generously.
const HAUNTED: Duration = Duration::from_secs(1);

/// How often to look whether what seemed a ghost has become a holder.
pub(super) const SLICE: Duration = Duration::from_millis(1);

pub(super) fn is_lately(released: Option<u64>) -> bool {
    released.is_some_and(|released| {
        Duration::from_nanos(clock::monotonic().saturating_sub(released)) < HAUNTED
    })
}

impl Grant {
    pub(super) fn was_released_lately(&self) -> bool {
        is_lately(self.released_at())
    }
}
