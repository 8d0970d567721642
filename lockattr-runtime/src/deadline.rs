//! Until when to wait.

use std::io;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::sys::clock;
use crate::sys::poll::{self, AsDescriptor, Descriptor};

/// A wait: since when, and until when at most. In nanoseconds of `CLOCK_MONOTONIC`, so a step of the
/// wall clock, as boards without a battery make at boot, neither shortens nor lengthens it.
///
/// One that is cancelled is over, whatever the clock shows: so all that ends a wait on time ends a cancelled one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline<'a> {
    start: u64,
    /// The start itself: do not wait at all. [`NEVER`] is no end.
    end: u64,
    cancel: Option<&'a Cancel>,
}

/// How long after its deadline a waiter still becomes the head of a queue. A process that was stopped meanwhile, or
/// a task that was not polled, can come back hours later: its caller has given up on the lock.
pub(crate) const GRACE: Duration = Duration::from_millis(5);

/// Some 584 years after the boot.
const NEVER: u64 = u64::MAX;

impl<'a> Deadline<'a> {
    /// From now on, for `timeout` at most; one that the clock cannot reach, as [`Duration::MAX`], is
    /// never.
    #[inline]
    pub(crate) fn after(timeout: Duration) -> Self {
        let start = clock::monotonic();
        let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(NEVER);
        Self { start, end: start.saturating_add(timeout), cancel: None }
    }

    /// It ends when `cancel` says so, too.
    #[inline]
    pub(crate) fn cancelled_by(self, cancel: Option<&'a Cancel>) -> Self {
        Self { cancel, ..self }
    }

    #[inline]
    pub(crate) fn is_cancelled(self) -> bool {
        self.cancel.is_some_and(Cancel::is_cancelled)
    }

    /// Sleeps until `descriptor` can be read or has hung up, at most for `timeout` (for ever if none). May return
    /// early.
    pub(crate) fn wait_readable(
        self,
        descriptor: &impl AsDescriptor,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        match self.cancel {
            Some(cancel) => cancel.wait_readable(descriptor, timeout),
            None => poll::wait_readable(descriptor, timeout),
        }
    }

    /// As [`wait_readable`](Self::wait_readable), for the first of as many as there are; with none it is a pause.
    pub(crate) fn wait_any<'b>(
        self,
        descriptors: impl Iterator<Item = Descriptor<'b>>,
        timeout: Option<Duration>,
    ) -> io::Result<()>
    where
        'a: 'b,
    {
        match self.cancel {
            Some(cancel) => cancel.wait_any(descriptors, timeout),
            None => poll::wait_any(descriptors, timeout),
        }
    }

    pub(crate) fn start(self) -> u64 {
        self.start
    }

    pub(crate) fn end(self) -> u64 {
        if self.is_cancelled() {
            return self.start;
        }
        self.end
    }

    /// For how long this has gone on: no time at all where nothing was to be waited for.
    pub(crate) fn waited(self) -> Duration {
        if self.is_now() {
            return Duration::ZERO;
        }
        Duration::from_nanos(clock::monotonic().saturating_sub(self.start))
    }

    /// Whether not to wait at all.
    pub(crate) fn is_now(self) -> bool {
        self.end == self.start
    }

    /// The time left: zero when it has passed, none if it never does.
    pub(crate) fn left(self) -> Option<Duration> {
        match self.end() {
            NEVER => None,
            end => Some(Duration::from_nanos(end.saturating_sub(clock::monotonic()))),
        }
    }

    /// `pause`, or less where less is left.
    pub(crate) fn at_most(self, pause: Duration) -> Duration {
        self.left().map_or(pause, |left| left.min(pause))
    }

    /// Whether the time was over `grace` ago.
    pub(crate) fn has_long_passed(self, grace: Duration) -> bool {
        let grace = u64::try_from(grace.as_nanos()).unwrap_or(NEVER);
        self.end != NEVER && clock::monotonic() > self.end.saturating_add(grace)
    }

    pub(crate) fn has_passed(self) -> bool {
        self.is_now() || self.left() == Some(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_its_time_is_over_or_never() {
        let soon = Deadline::after(Duration::from_secs(60));
        assert!(!soon.has_passed() && !soon.is_now());
        assert!(soon.left().is_some_and(|left| left > Duration::from_secs(30)));
        assert!(!soon.has_long_passed(Duration::ZERO));
        let now = Deadline::after(Duration::ZERO);
        assert!(now.has_passed() && now.is_now());
        for never in [Duration::MAX, Duration::from_secs(u64::MAX / 1_000_000_000 + 1)] {
            let never = Deadline::after(never);
            assert!(!never.has_passed() && never.left().is_none());
            assert!(!never.has_long_passed(Duration::ZERO));
            assert_eq!(never.at_most(Duration::from_secs(7)), Duration::from_secs(7));
        }
    }
}
