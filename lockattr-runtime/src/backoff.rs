//! How long to pause between two looks at something that nobody announces.

use std::time::Duration;

/// Pauses: short at first, each twice as long as the one before, up to a longest one.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    last: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_micros(50);

    pub(crate) fn up_to(last: Duration) -> Self {
        Self::from_to(Self::FIRST, last)
    }

    pub(crate) fn from_to(next: Duration, last: Duration) -> Self {
        Self { next, last }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.last);
        pause
    }
}
