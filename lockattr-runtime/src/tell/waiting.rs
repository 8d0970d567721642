//! What a waiter tells between two looks.
//!
//! It has its place in the queue meanwhile, and nothing in hand: a lock that is handed to it lies in its connection,
//! and no other process gets it until the subscriber returns, as if the waiter were slow to wake. A panic leaves the
//! queue, as a dropped future does. To ask for the same lock again would be to queue behind oneself, so that is
//! refused ([`is_telling_of`]).

use std::time::Duration;

use tracing::Level;

use super::emit::{emit_in_wait, is_heard, is_told, milliseconds, TARGET};
use crate::deadline::Deadline;
use crate::events;
use crate::holder::Holder;
use crate::sys::clock;

/// Whether this thread is in a subscriber that it tells of its wait for `lock`.
pub(crate) fn is_telling_of(lock: &str) -> bool {
    is_told(lock)
}

/// What one wait has told.
pub(crate) struct Waiting<'a> {
    lock: &'a str,
    /// Since when it waits, in nanoseconds of the monotonic clock, as all times here.
    start: u64,
    has_told: bool,
    /// When to look next whether the holder has held for too long; before the first look it is none.
    looks_at: Option<u64>,
    /// The hold that was told of: since when it is.
    told_of: Option<u64>,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(lock: &'a str, deadline: Deadline<'_>) -> Self {
        let start = deadline.start();
        Self { lock, start, has_told: false, looks_at: None, told_of: None }
    }

    /// When to tell of the wait; the end of time if never.
    fn tells_at(&self) -> u64 {
        if self.has_told || !is_heard(Level::INFO) {
            return u64::MAX;
        }
        self.start.saturating_add(events::waiting_after())
    }

    /// When to look at the holder next; the end of time if never.
    fn looks_at(&self) -> u64 {
        if !is_heard(Level::WARN) {
            return u64::MAX;
        }
        self.looks_at.unwrap_or(self.start.saturating_add(events::held_warning()))
    }

    fn next(&self) -> u64 {
        self.tells_at().min(self.looks_at())
    }

    /// `left`, or less where there is something to tell before.
    pub(crate) fn at_most(&self, left: Option<Duration>) -> Option<Duration> {
        match self.next() {
            u64::MAX => left,
            next => {
                let next = Duration::from_nanos(next.saturating_sub(clock::monotonic()));
                Some(left.map_or(next, |left| left.min(next)))
            }
        }
    }

    /// Tells what there is to tell by now. `holder` looks who has the lock.
    #[inline]
    pub(crate) fn tell(&mut self, holder: impl FnOnce() -> Option<Holder>) {
        if self.next() != u64::MAX {
            self.tell_at(clock::monotonic(), holder);
        }
    }

    fn tell_at(&mut self, now: u64, holder: impl FnOnce() -> Option<Holder>) {
        let (tells, looks) = (self.tells_at() <= now, self.looks_at() <= now);
        if !tells && !looks {
            return;
        }
        let holder = holder();
        if tells {
            self.tell_wait(now, holder.as_ref());
        }
        if looks {
            self.look(now, holder.as_ref());
        }
    }

    fn tell_wait(&mut self, now: u64, holder: Option<&Holder>) {
        self.has_told = true;
        let lock = self.lock;
        let waited_ms = milliseconds(Duration::from_nanos(now.saturating_sub(self.start)));
        emit_in_wait(lock, || {
            tracing::info!(
                name: "lockattr.waiting", target: TARGET,
                lock,
                waited_ms,
                holder = holder.map(tracing::field::display),
                "waiting for the lock"
            );
        });
    }

    /// Warns if the present hold is too long, and decides when to look again.
    fn look(&mut self, now: u64, holder: Option<&Holder>) {
        /// Between two looks, whatever the time is set to.
        const PAUSE: u64 = 100_000_000;

        let limit = events::held_warning();
        let held = holder.and_then(|holder| holder.held_for).unwrap_or_default();
        let held = u64::try_from(held.as_nanos()).unwrap_or(u64::MAX);
        self.looks_at = Some(now.saturating_add(limit.saturating_sub(held).max(PAUSE)));
        let Some(holder) = holder.filter(|_| held >= limit) else { return };
        self.looks_at = Some(now.saturating_add(limit.max(PAUSE)));
        let since = now - held.min(now);
        // The wall clock that a text tells is good to a second.
        if self.told_of.is_some_and(|told| told.abs_diff(since) < 1_000_000_000) {
            return;
        }
        self.told_of = Some(since);
        let (lock, held_ms) = (self.lock, milliseconds(Duration::from_nanos(held)));
        emit_in_wait(lock, || {
            tracing::warn!(
                name: "lockattr.held_long", target: TARGET,
                lock,
                held_ms,
                %holder,
                "the lock is held for long"
            );
        });
    }
}
