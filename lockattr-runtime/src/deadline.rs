//! Until when to wait.

use std::time::{Duration, Instant};

/// A point of `CLOCK_MONOTONIC` (which [`Instant`] is on Linux), or never: a step of the wall clock,
/// as boards without a battery make at boot, neither shortens nor lengthens a wait.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deadline {
    /// Do not wait at all.
    Now,
    At(Instant),
    Never,
}

impl Deadline {
    /// `timeout` from `now` on; one that the clock cannot reach, as [`Duration::MAX`], is never.
    pub(crate) fn after(now: Instant, timeout: Duration) -> Self {
        if timeout.is_zero() {
            return Self::Now;
        }
        now.checked_add(timeout).map_or(Self::Never, Self::At)
    }

    /// The time left: zero when it has passed, none if it never does.
    pub(crate) fn left(self) -> Option<Duration> {
        match self {
            Self::Now => Some(Duration::ZERO),
            Self::At(instant) => Some(instant.saturating_duration_since(Instant::now())),
            Self::Never => None,
        }
    }

    /// `pause`, or less where less is left.
    pub(crate) fn at_most(self, pause: Duration) -> Duration {
        self.left().map_or(pause, |left| left.min(pause))
    }

    pub(crate) fn has_passed(self) -> bool {
        self.left() == Some(Duration::ZERO)
    }
}
