//! What looks at locks that are sockets have in common.

use std::time::{Duration, Instant};

use crate::deadline::Deadline;

/// How much time a look may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// As much as it needs: also for a lock that was given back and is still bound to become free, for up
    /// to [`PATIENCE`](super::ghost::PATIENCE).
    Ample,
    /// Until then, as a deadline has passed.
    Until(Instant),
    /// Until then, and a search for copies is not worth it: the caller only tries, perhaps in a loop.
    Brief(Instant),
}

/// So much time is spent on whom to name after a deadline.
const LATE: Duration = Duration::from_millis(5);

impl Time {
    pub(super) fn after(deadline: Deadline<'_>) -> Self {
        let until = Instant::now() + LATE;
        if deadline.is_now() {
            Self::Brief(until)
        } else {
            Self::Until(until)
        }
    }

    /// Until when a search goes on at most.
    pub(super) fn end(self) -> Option<Instant> {
        match self {
            Self::Ample => None,
            Self::Until(end) | Self::Brief(end) => Some(end),
        }
    }
}
