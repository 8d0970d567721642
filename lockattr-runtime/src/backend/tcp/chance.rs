//! Numbers that differ between threads and processes, so that those who are in each other's way part.

use std::time::Duration;

use crate::sys::{clock, thread};

/// A generator of such numbers (splitmix64). Nothing depends on them but who is first.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new() -> Self {
        let (process, thread) = (std::process::id(), thread::current().tid);
        Self(clock::monotonic() ^ u64::from(process) << 20 ^ u64::from(thread) << 40)
    }

    /// Any time from none to `most`, a second at most.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let most = u64::from(most.min(Duration::from_secs(1)).subsec_nanos());
        Duration::from_nanos(mixed % (most + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_within_what_was_asked_for_and_differ() {
        let mut chance = Chance(7);
        let most = Duration::from_micros(200);
        let times: Vec<_> = (0..1000).map(|_| chance.up_to(most)).collect();
        assert!(times.iter().all(|time| *time <= most));
        assert!(times.iter().any(|time| *time < most / 10));
        assert!(times.iter().any(|time| *time > most / 10 * 9));
        assert_eq!(chance.up_to(Duration::ZERO), Duration::ZERO);
    }
}
