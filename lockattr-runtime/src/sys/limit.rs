//! What a search may cost.

use std::time::{Duration, Instant};

use super::clock;

/// When a search ends that has found nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Until then no look is taken at the work, which is a system call.
    first: Instant,
    last: Instant,
    /// This thread's, in [`clock::work`]'s time.
    work: u64,
}

impl Limit {
    /// Then, at the latest.
    pub(crate) fn at(end: Instant) -> Self {
        Self { first: end, last: end, work: 0 }
    }

    /// When this thread has worked for so long from now on. On a busy machine that takes longer, though not for ever.
    pub(crate) fn of_work(time: Duration) -> Self {
        const SHARE: u32 = 20;

        let now = Instant::now();
        let work = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            first: now + time,
            last: now + time * SHARE,
            work: clock::work().saturating_add(work),
        }
    }

    pub(crate) fn is_over(self) -> bool {
        let now = Instant::now();
        now >= self.first && (now >= self.last || clock::work() >= self.work)
    }
}

/// Whether a search is to end that may have no limit.
pub(crate) fn is_over(limit: Option<Limit>) -> bool {
    limit.is_some_and(Limit::is_over)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_millis(5);

    #[test]
    fn a_limit_comes() {
        let limit = Limit::of_work(TIME);
        std::thread::sleep(20 * TIME + Duration::from_millis(1));
        assert!(limit.is_over());
        assert!(Limit::at(Instant::now()).is_over());
        assert!(!Limit::at(Instant::now() + Duration::from_secs(60)).is_over());
    }

    /// Windows' tells no work.
    #[cfg(unix)]
    #[test]
    fn time_without_work_does_not_count() {
        let limit = Limit::of_work(TIME);
        // As if another thread had the processor.
        std::thread::sleep(2 * TIME);
        let is_late = |limit: Limit| Instant::now() >= limit.last;
        assert!(!limit.is_over() || is_late(limit));
        let before = clock::work();
        while !limit.is_over() {}
        assert!(clock::work() - before > 4_000_000 || is_late(limit));
    }
}
