//! Whether the owner that a waiter has judged to be alive still is: a question that the waiter asks many
//! times a second, and that `/proc` answers at the price of all the rest of a look.

use std::cell::RefCell;

use crate::record::owner::Owner;
use crate::sys::clock;
use crate::sys::pidfd::Pidfd;

/// Nanoseconds for which a judgement stands if the process has not ended. It may have executed another program
/// meanwhile, which only another judgement tells: by reads of `/proc`, each at the price of some looks.
const STANDS: u64 = 500_000_000;

/// The owner that a waiter saw last.
#[derive(Debug, Default)]
pub(super) struct Pulse(RefCell<Option<Seen>>);

#[derive(Debug)]
struct Seen {
    owner: Owner,
    /// None at first: most waits have ended before the second look.
    process: Option<Pidfd>,
    until: u64,
}

impl Pulse {
    /// Whether `owner` is dead, as `judge` says, which need not be asked each time.
    pub(super) fn is_dead(&self, owner: Owner, judge: impl FnOnce() -> bool) -> bool {
        let mut last = self.0.borrow_mut();
        let now = clock::monotonic();
        // Opened before the judgement, so what is judged to be the owner is the process held here, or a later
        // one of its pid. In that case this one has ended, and the next look judges again.
        let process = match last.take() {
            Some(Seen { owner: seen, process, until }) if seen == owner => {
                let process = process.or_else(|| Pidfd::open(owner.pid()).ok());
                let runs = process.as_ref().is_some_and(|process| !process.has_ended());
                if runs && now < until {
                    *last = Some(Seen { owner, process, until });
                    return false;
                }
                process.filter(|_| runs)
            }
            _ => None,
        };
        let is_dead = judge();
        if !is_dead {
            // Without a process the judgement does not stand.
            let until = if process.is_some() { now.saturating_add(STANDS) } else { 0 };
            *last = Some(Seen { owner, process, until });
        }
        is_dead
    }
}
