//! What looks at locks have in common.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::sys::limit::Limit;

/// How often a look is made anew because the lock changed hands while it was made. A lock that does so each time is
/// locked, and has no holder to be named.
pub(super) const LOOKS: usize = 8;

/// How much time a look at a lock that is a socket may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// As much as it needs: also for a lock that was given back and is still bound to become free, for up
    /// to [`PATIENCE`](super::ghost::PATIENCE).
    Ample,
    /// So much, as a deadline has passed.
    Limited(Limit),
    /// So much, and a search for copies is not worth it: the caller only tries, perhaps in a loop.
    Brief(Limit),
}

/// So much work is spent on whom to name after a deadline.
const WORK: Duration = Duration::from_millis(5);

impl Time {
    pub(super) fn after(deadline: Deadline<'_>) -> Self {
        let limit = Limit::of_work(WORK);
        if deadline.is_now() {
            Self::Brief(limit)
        } else {
            Self::Limited(limit)
        }
    }

    /// When a search is to end.
    pub(super) fn limit(self) -> Option<Limit> {
        match self {
            Self::Ample => None,
            Self::Limited(limit) | Self::Brief(limit) => Some(limit),
        }
    }
}
