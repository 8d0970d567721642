//! A value that is replaced now and then, and read without the gate.
//!
//! Two things make a plain pointer enough:
//! - **A value that was ever shown is kept for as long as the shelf.** So a reader needs no count, and its
//!   reference is good for as long as the shelf is borrowed. A shelf keeps [`KEPT`] values; those that come
//!   after that are only had under the gate, and counted.
//! - **The pointer stands beside the number of the process that stored it**, and is followed in that process
//!   alone. A child has another number, so it comes by the gate first: after `fork`, the parent's values
//!   are at rest, and shown again; after a clone without handlers, which may have copied the pointer and not
//!   yet what it points to, the [`Gated`] values begin anew.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::Arc;

use crate::sys::fork::{gate, Gate, Gated};
use crate::sys::generation::generation;

/// How many values a shelf keeps.
const KEPT: usize = 16;

#[derive(Debug)]
pub(crate) struct Shelf<T> {
    shown: Shown<T>,
    values: Gated<Values<T>>,
}

/// The newest value, for those that come without the gate.
///
/// Aligned so that both words lie in one page. The kernel copies a page as a whole: no child finds the number
/// of one moment beside the pointer of an earlier one.
#[derive(Debug)]
#[repr(align(16))]
struct Shown<T> {
    /// The [`generation`] of the process that stored the pointer. 0 if none is shown.
    generation: AtomicU32,
    value: AtomicPtr<T>,
}

#[derive(Debug)]
struct Values<T> {
    newest: Option<Arc<T>>,
    /// All that were ever shown.
    kept: Vec<Arc<T>>,
}

/// Which of a shelf's values a reader has had: to find it again, whatever the newest one is by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loan {
    address: usize,
}

impl Loan {
    #[inline]
    pub(crate) fn of<T>(value: &T) -> Self {
        Self { address: ptr::from_ref(value) as usize }
    }
}

impl<T: Send + Sync> Shelf<T> {
    /// The newest value, in the process `generation`, which is the caller's. None if there is none, and where
    /// it is only had under the gate.
    #[inline]
    pub(crate) fn peek(&self, generation: u32) -> Option<&T> {
        // Acquire, for the store in `show`: a thread that sees the number sees the pointer that was stored before
        // it, or a later one.
        if self.shown.generation.load(Ordering::Acquire) != generation {
            return None;
        }
        // SAFETY: this process stored the pointer, as no other has its number. It is one to a value that
        // `values.kept` has, which is dropped with the shelf, and the shelf is borrowed. Acquire, for the
        // store in `show`: the value was whole before.
        unsafe { self.shown.value.load(Ordering::Acquire).as_ref() }
    }

    /// The value that was lent. None in a child, and in a signal handler that has interrupted this thread
    /// under the gate.
    #[inline]
    pub(crate) fn find(&self, loan: Loan) -> Option<&T> {
        match self.peek(generation()) {
            Some(newest) if Loan::of(newest) == loan => Some(newest),
            _ => self.find_older(loan),
        }
    }

    #[cold]
    fn find_older(&self, loan: Loan) -> Option<&T> {
        let mut gate = gate().ok()?;
        let kept = &self.values.get(&mut gate).kept;
        let found = kept.iter().find(|value| Loan::of(&***value) == loan)?;
        // SAFETY: what is kept is dropped with the shelf, and the shelf is borrowed.
        Some(unsafe { &*Arc::as_ptr(found) })
    }

    /// The newest value; none if none has been put here yet.
    pub(crate) fn newest(&self, gate: &mut Gate) -> Option<Arc<T>> {
        let values = self.values.get(gate);
        let newest = values.newest.as_ref()?;
        if values.kept.last().is_some_and(|last| Arc::ptr_eq(last, newest)) {
            self.show(newest); // in a forked child, for the first time
        }
        Some(Arc::clone(newest))
    }

    /// Makes `value` the newest one. The one before, if nobody has it, is to be dropped outside of the gate.
    pub(crate) fn put(&self, gate: &mut Gate, value: T) -> (Arc<T>, Option<Arc<T>>) {
        let values = self.values.get(gate);
        let value = Arc::new(value);
        if values.kept.len() < KEPT {
            values.kept.push(Arc::clone(&value));
            self.show(&value);
        } else {
            // A reader that has seen the number already follows the pointer to one that is kept.
            self.shown.generation.store(0, Ordering::Release);
        }
        (Arc::clone(&value), values.newest.replace(value))
    }

    /// `value` is one that is kept. The gate is held, so no other thread is in here.
    fn show(&self, value: &Arc<T>) {
        // Release, for `peek`: all of the value comes before its pointer, and the pointer before the number.
        self.shown.value.store(Arc::as_ptr(value).cast_mut(), Ordering::Release);
        self.shown.generation.store(generation(), Ordering::Release);
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        let shown = Shown { generation: AtomicU32::new(0), value: AtomicPtr::new(ptr::null_mut()) };
        Self { shown, values: Gated::default() }
    }
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { newest: None, kept: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(shelf: &Shelf<u32>, value: u32) -> Arc<u32> {
        let mut gate = gate().unwrap();
        shelf.put(&mut gate, value).0
    }

    #[test]
    fn the_newest_value_is_read_and_older_ones_are_found_again() {
        let shelf = Shelf::default();
        assert_eq!(shelf.peek(generation()), None);
        let mut loans = Vec::new();
        for number in 0..u32::try_from(KEPT).unwrap() {
            let value = put(&shelf, number);
            assert_eq!(shelf.peek(generation()), Some(&number));
            loans.push(Loan::of(&*value));
        }
        assert_eq!(shelf.peek(generation() + 1), None, "of another process");
        for (number, loan) in (0..).zip(&loans) {
            assert_eq!(shelf.find(*loan), Some(&number));
        }
    }

    #[test]
    fn what_no_longer_has_room_is_had_under_the_gate_and_freed() {
        let shelf = Shelf::default();
        (0..).take(KEPT).for_each(|number| drop(put(&shelf, number)));
        let kept = Loan::of(shelf.peek(generation()).unwrap());
        let last = put(&shelf, 77);
        assert_eq!(shelf.peek(generation()), None);
        assert_eq!(shelf.find(Loan::of(&*last)), None, "it is not kept");
        assert!(shelf.find(kept).is_some());
        assert_eq!(shelf.newest(&mut gate().unwrap()), Some(Arc::clone(&last)));
        assert_eq!(shelf.peek(generation()), None, "nor is it shown by a look");
        drop(put(&shelf, 78));
        assert_eq!(Arc::strong_count(&last), 1);
    }

    #[test]
    fn memory_stays_the_same_over_ten_thousand_values() {
        let counted = Arc::new(());
        let shelf = Shelf::default();
        for _ in 0..10_000 {
            let outdated = shelf.put(&mut gate().unwrap(), Arc::clone(&counted)).1;
            drop(outdated);
            // This one's own, those that are kept, and the newest.
            assert!(Arc::strong_count(&counted) <= 1 + KEPT + 1);
        }
        drop(shelf);
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}
