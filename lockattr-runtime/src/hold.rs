//! Which thread holds a lock in this process, and with how many guards.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::sys::generation::generation;

/// The guards of a lock that this process holds, and the thread that may enter again: one word, so
/// that no thread can join a hold that has just ended or become another thread's.
///
/// Upper 48 bits: the thread's token, 0 if no thread holds (a task does). Lower 16: the guards.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    word: AtomicU64,
    /// Which process it is: a forked child does not hold what its parent holds.
    generation: AtomicU32,
}

/// What in this process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    Thread,
    Task,
}

const GUARD_BITS: u32 = 16;
const GUARDS: u64 = (1 << GUARD_BITS) - 1;

impl Hold {
    /// The caller has just acquired, for `thread`.
    pub(crate) fn begin(&self, thread: Option<NonZeroU64>) {
        let token = thread.map_or(0, NonZeroU64::get);
        self.generation.store(generation(), Ordering::Relaxed);
        self.word.store(token << GUARD_BITS | 1, Ordering::Release);
    }

    /// Whether `thread` holds. A thread finds its own token only if it wrote it itself, so this needs
    /// no order of memory.
    pub(crate) fn is_by(&self, thread: NonZeroU64) -> bool {
        self.word.load(Ordering::Relaxed) >> GUARD_BITS == thread.get()
    }

    /// What in this process holds, if anything does.
    pub(crate) fn here(&self) -> Option<Here> {
        let word = self.word.load(Ordering::Acquire);
        if word & GUARDS == 0 || self.generation.load(Ordering::Relaxed) != generation() {
            return None;
        }
        Some(if word >> GUARD_BITS == 0 { Here::Task } else { Here::Thread })
    }

    /// One more guard, if `thread` holds still: its guard may have been sent to another thread, which
    /// has just dropped it.
    pub(crate) fn enter_again(&self, thread: NonZeroU64) -> bool {
        self.change(|hold| {
            let (token, guards) = (hold >> GUARD_BITS, hold & GUARDS);
            (token == thread.get() && guards != GUARDS).then_some(hold + 1)
        })
        .is_some()
    }

    /// Takes back a guard of `thread`, the caller, if it is the last one.
    #[inline]
    pub(crate) fn leave_if_last(&self, thread: NonZeroU64) -> bool {
        // Nobody else changes the word: this guard is the only one, and the thread that may enter again is
        // this one. So a store will do. Release, for those that began before it: see `State::end`.
        if self.word.load(Ordering::Acquire) == thread.get() << GUARD_BITS | 1 {
            self.word.store(0, Ordering::Release);
            return true;
        }
        self.change(|hold| (hold & GUARDS == 1).then_some(0)).is_some()
    }

    /// Takes back a guard; whether it was the last one.
    pub(crate) fn leave(&self) -> bool {
        self.change(|hold| Some(if hold & GUARDS <= 1 { 0 } else { hold - 1 }))
            .is_some_and(|before| before & GUARDS <= 1)
    }

    /// Changes the word, unless `new` is none; what it was before.
    fn change(&self, new: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        let mut hold = self.word.load(Ordering::Relaxed);
        loop {
            let changed = self.word.compare_exchange_weak(
                hold,
                new(hold)?,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            match changed {
                Ok(before) => return Some(before),
                Err(found) => hold = found,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_guards_ends_the_hold() {
        let (one, other) = (NonZeroU64::new(7).unwrap(), NonZeroU64::new(8).unwrap());
        let hold = Hold::default();
        assert!(!hold.is_by(one) && !hold.enter_again(one));
        hold.begin(Some(one));
        assert!(hold.is_by(one) && !hold.is_by(other));
        assert_eq!(hold.here(), Some(Here::Thread));
        assert!(!hold.enter_again(other));
        assert!(hold.enter_again(one));
        assert!(!hold.leave_if_last(one) && !hold.leave());
        assert!(hold.is_by(one));
        assert!(hold.leave_if_last(one));
        assert!(!hold.is_by(one) && !hold.enter_again(one));
        hold.begin(Some(one));
        assert!(hold.leave_if_last(other), "the guard was sent to it");
        assert!(!hold.is_by(one));
    }

    #[test]
    fn a_hold_of_no_thread_is_entered_by_none() {
        let hold = Hold::default();
        hold.begin(None);
        assert!(!hold.is_by(NonZeroU64::MIN) && !hold.enter_again(NonZeroU64::MIN));
        assert_eq!(hold.here(), Some(Here::Task));
        assert!(hold.leave());
        assert_eq!(hold.here(), None);
    }
}
