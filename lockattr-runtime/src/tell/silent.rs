//! What stands in where nothing is told, by a program without the features `tracing` and `log`.

use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::LockError;
use crate::guard::LockGuard;
use crate::holder::Holder;

pub(crate) fn record_unavailable(_: &str, _: &io::Error) {}

pub(crate) fn not_respected(_: &str, _: &'static str, _: &io::Error) {}

pub(crate) fn surplus_units(_: &str, _: u32) {}

pub(crate) fn torn_away(_: &str) {}

pub(crate) fn asks_for_the_pid() {}

#[inline]
pub(crate) fn is_heard() -> bool {
    false
}

pub(crate) fn silently(uses: impl FnOnce()) {
    uses();
}

pub(crate) fn outcome(_: &Result<LockGuard, LockError>) {}

pub(crate) fn granted(_: &[LockGuard]) {}

pub(crate) fn not_granted(_: &LockError) {}

pub(crate) fn released(_: &str, _: u64, _: &'static str) {}

pub(crate) fn is_telling_of(_: &str) -> bool {
    false
}

pub(crate) struct Waiting<'a>(PhantomData<&'a str>);

#[allow(clippy::unused_self)] // as the other one
impl<'a> Waiting<'a> {
    pub(crate) fn new(_: &'a str, _: Deadline<'_>) -> Self {
        Self(PhantomData)
    }

    pub(crate) fn at_most(&self, left: Option<Duration>) -> Option<Duration> {
        left
    }

    pub(crate) fn tell(&mut self, _: impl FnOnce() -> Option<Holder>) {}
}
