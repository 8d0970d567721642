//! The texts of call sites, which a thread writes again and again: the last one is kept, for all but the
//! time in it stays the same.

use std::cell::RefCell;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::stamp::STAMP_WORDS;
use super::{term, write_stamp, Text, Written};
use crate::sys::mapping::Words;

/// The longest text that is kept: 136 bytes with its time.
const WORDS: usize = 17;

/// A text without its time.
struct Site {
    function: &'static str,
    place: &'static Location<'static>,
    /// What stands behind the time in its last word.
    first: u64,
    /// The words after that one: so many, with the NUL.
    behind: [u64; WORDS - STAMP_WORDS],
    count: usize,
    /// Of the words behind the time's.
    digest: u64,
}

thread_local! {
    static LAST: RefCell<Option<Site>> = const { RefCell::new(None) };
}

/// Writes a text as [`super::write`] does. None, and nothing written, if it is too long to be kept, or
/// for `limit`.
#[inline]
pub(super) fn write(
    to: &Words,
    limit: usize,
    stamp: &[u64; STAMP_WORDS],
    function: &'static str,
    place: &'static Location<'static>,
) -> Option<Written> {
    let write = |last: &RefCell<Option<Site>>| {
        // Nobody else is in there: nothing here runs code of others.
        let mut last = last.try_borrow_mut().ok()?;
        match &*last {
            Some(site) if site.is(function, place) => site.write(to, limit, stamp),
            _ => {
                *last = Site::new(function, place);
                last.as_ref()?.write(to, limit, stamp)
            }
        }
    };
    // Fails only while the thread ends.
    LAST.try_with(write).ok()?
}

impl Site {
    #[cold]
    fn new(function: &'static str, place: &'static Location<'static>) -> Option<Self> {
        let words = [(); WORDS].map(|()| AtomicU64::new(0));
        let text = Text::new(&words, WORDS * 8, [0; STAMP_WORDS]).with_site(function, place);
        if text.is_cut {
            return None;
        }
        let count = (text.stored_words * 8 + text.filled) / 8 + 1 - STAMP_WORDS;
        text.finish();
        let words = words.map(AtomicU64::into_inner);
        let mut behind = [0; WORDS - STAMP_WORDS];
        behind.copy_from_slice(&words[STAMP_WORDS..]);
        let terms = words.iter().enumerate().skip(STAMP_WORDS);
        let digest = terms.fold(0_u64, |sum, (index, &word)| sum.wrapping_add(term(index, word)));
        Some(Self { function, place, first: words[STAMP_WORDS - 1], behind, count, digest })
    }

    #[inline]
    fn is(&self, function: &'static str, place: &'static Location<'static>) -> bool {
        ptr::eq(self.place, place) && ptr::eq(self.function, function)
    }

    #[inline]
    fn write(&self, to: &Words, limit: usize, stamp: &[u64; STAMP_WORDS]) -> Option<Written> {
        if (STAMP_WORDS + self.count) * 8 > limit {
            return None;
        }
        let behind = self.behind.get(..self.count)?;
        let (first, digest) = write_stamp(to, stamp, self.first);
        for (place, &word) in to[STAMP_WORDS..].iter().zip(behind) {
            place.store(word, Ordering::Relaxed);
        }
        Some(Written { first, digest: digest.wrapping_add(self.digest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mapping::PAGE_WORDS;

    #[test]
    fn a_kept_text_is_the_one_that_would_be_written() {
        let place = Location::caller();
        let stamp = super::super::stamp(1_700_000_000_123_456_789);
        for function in ["", "f", "sensord::bme280::read", &"x".repeat(100), &"x".repeat(200)] {
            let function: &'static str = Box::leak(function.to_owned().into_boxed_str());
            for limit in [8, 40, 64, 100, 3584] {
                let pages = [(); 2].map(|()| [(); PAGE_WORDS].map(|()| AtomicU64::new(u64::MAX)));
                let plain =
                    Text::new(&pages[0][..448], limit, stamp).with_site(function, place).finish();
                for _ in 0..2 {
                    let Some(written) = write(&pages[1], limit, &stamp, function, place) else {
                        assert!(function.len() > 64 || limit <= 100, "{function} {limit}");
                        continue;
                    };
                    assert_eq!(written, plain);
                    for (one, other) in pages[0].iter().zip(&pages[1]) {
                        assert_eq!(one.load(Ordering::Relaxed), other.load(Ordering::Relaxed));
                    }
                }
            }
        }
    }
}
