//! What a caller asks for.

use std::time::Duration;

use crate::cancel::Cancel;
use crate::deadline::Deadline;
use crate::info::Info;

/// How to acquire. The time begins when the lock is asked for: at the call, or when a future is first polled.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub(crate) timeout: Duration,
    pub(crate) info: Info<'a>,
    /// Whether a thread that holds already enters again.
    pub(crate) reentrant: bool,
    /// Whether it is to be heard of a death before, and a panic is to be told to the next holder.
    pub(crate) recovers: bool,
    pub(crate) cancel: Option<&'a Cancel>,
}

impl<'a> Request<'a> {
    #[inline]
    pub(crate) fn new(timeout: Duration, info: Info<'a>) -> Self {
        Self { timeout, info, reentrant: false, recovers: false, cancel: None }
    }

    /// The wait for it, from now on.
    #[inline]
    pub(crate) fn deadline(&self) -> Deadline<'a> {
        Deadline::after(self.timeout).cancelled_by(self.cancel)
    }
}
