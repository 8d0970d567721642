//! The text at a record's start: `2024-10-20 16:00:51.864484 - where it was taken`, NUL-terminated.
//! It is what resourcelock (cjnfuncs 3.2.3) writes, so its tools can show it.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{TEXT_BYTES, TEXT_WORDS};
use crate::info::Info;
use crate::sys::clock;
use crate::sys::page::Words;

/// The bytes before the info: the time, and ` - `.
const STAMP_BYTES: usize = "2024-10-20 16:00:51.864484 - ".len();

/// Writes the time (`wall` nanoseconds since 1970, shown in local time) and `info`. What does not
/// fit is cut at a character's end; a NUL inside is shown as U+FFFD.
pub(super) fn write(words: &Words, wall: u64, info: Info<'_>) {
    let mut text = Text::new(&words[..TEXT_WORDS]);
    text.append(&stamp(wall));
    // Only fails when it is full: what was written so far stands.
    let _ = write!(text, "{info}");
    text.finish();
}

/// `2024-10-20 16:00:51.864484 - `, digit by digit: this is on the way of every acquire.
fn stamp(wall: u64) -> [u8; STAMP_BYTES] {
    let local = i64::try_from(wall / 1_000_000_000)
        .unwrap_or(i64::MAX)
        .saturating_add(clock::utc_offset(wall));
    let (year, month, day) = date(local.div_euclid(86_400));
    let second = local.rem_euclid(86_400);
    let micros = wall / 1_000 % 1_000_000;

    let mut stamp = *b"0000-00-00 00:00:00.000000 - ";
    let mut put = |at: usize, digits: usize, number: i64| {
        let mut rest = number;
        for place in stamp[at..at + digits].iter_mut().rev() {
            *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, second / 3600);
    put(14, 2, second / 60 % 60);
    put(17, 2, second % 60);
    put(20, 6, i64::try_from(micros).unwrap_or(0));
    stamp
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01. Counted from a March, so
/// that the leap day comes last in its year, in eras of 400 years.
fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let days = days.saturating_add(719_468); // since 0000-03-01
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // since March
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + era * 400 + i64::from(month >= 10);
    (year, if month < 10 { month + 3 } else { month - 9 }, day)
}

/// The info out of a record's text; none if the text is not of this form.
pub(super) fn info(text: &[u8]) -> Option<String> {
    let end = text.iter().position(|&byte| byte == 0)?;
    let (stamp, info) = (text[..end].get(..STAMP_BYTES)?, &text[STAMP_BYTES..end]);
    stamp.ends_with(b" - ").then(|| String::from_utf8_lossy(info).into_owned())
}

/// How many bytes are collected before they are stored.
const STAGE: usize = 64;

/// Collects bytes to words, and stores the words: no copy of the whole text is made first.
struct Text<'a> {
    words: &'a [AtomicU64],
    /// What has not been stored yet.
    staged: [u8; STAGE],
    filled: usize,
    stored_words: usize,
}

impl<'a> Text<'a> {
    fn new(words: &'a [AtomicU64]) -> Self {
        Self { words, staged: [0; STAGE], filled: 0, stored_words: 0 }
    }

    /// The bytes that may still come: room is kept for the NUL.
    fn room(&self) -> usize {
        TEXT_BYTES - 1 - self.stored_words * 8 - self.filled
    }

    /// The bytes must fit.
    fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(STAGE - self.filled));
            self.staged[self.filled..][..now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == STAGE {
                self.store();
            }
        }
    }

    fn store(&mut self) {
        self.staged[self.filled..].fill(0);
        let words = self.staged[..self.filled.next_multiple_of(8)].chunks_exact(8);
        for (place, word) in self.words[self.stored_words..].iter().zip(words) {
            let word = word.try_into().map_or(0, u64::from_ne_bytes);
            place.store(word, Ordering::Relaxed);
            self.stored_words += 1;
        }
        self.filled = 0;
    }

    /// Ends the text with a NUL.
    fn finish(mut self) {
        self.append(&[0]);
        self.store();
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (index, part) in text.split('\0').enumerate() {
            for piece in [if index == 0 { "" } else { "\u{fffd}" }, part] {
                let mut end = piece.len().min(self.room());
                while !piece.is_char_boundary(end) {
                    end -= 1;
                }
                self.append(&piece.as_bytes()[..end]);
                if end < piece.len() {
                    return Err(fmt::Error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::page::PAGE_WORDS;

    /// What a record's text holds after `info` was written.
    fn written(info: &str) -> Vec<u8> {
        let words: Box<Words> = Box::new([(); PAGE_WORDS].map(|()| u64::MAX.into()));
        write(&words, 1_700_000_000_123_456_789, Info::Text(info));
        assert_eq!(words[TEXT_WORDS].load(Ordering::Relaxed), u64::MAX, "only the text is written");
        words[..TEXT_WORDS]
            .iter()
            .flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes())
            .collect()
    }

    #[test]
    fn the_text_is_resourcelocks() {
        let text = written("sensord::read (src/a.rs:4)");
        let text = String::from_utf8_lossy(text.split(|&byte| byte == 0).next().unwrap());
        // The zone is the machine's, so only the form can be told.
        assert!(text.starts_with("2023-11-1"), "{text}");
        assert!(text.ends_with(".123456 - sensord::read (src/a.rs:4)"), "{text}");
    }

    #[test]
    fn dates_are_the_calendars() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(-1), (1969, 12, 31));
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(date(19_783), (2024, 3, 1));
        assert_eq!(date(47_540), (2100, 2, 28));
        assert_eq!(date(47_541), (2100, 3, 1));
        // Every day is the one after the day before it.
        let mut last = date(-200_000);
        for day in -199_999..200_000 {
            let (year, month, day) = date(day);
            assert!(
                (year, month, day) == (last.0, last.1, last.2 + 1)
                    || (year, month, day) == (last.0, last.1 + 1, 1) && last.2 >= 28
                    || (year, month, day) == (last.0 + 1, 1, 1) && (last.1, last.2) == (12, 31),
                "{last:?} before {:?}",
                (year, month, day)
            );
            last = (year, month, day);
        }
    }

    #[test]
    fn the_info_comes_back_whatever_its_length() {
        for length in 0..40 {
            let given = "x".repeat(length);
            assert_eq!(info(&written(&given)), Some(given));
        }
        assert_eq!(info(&written("a\0b")).as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn what_does_not_fit_is_cut_at_a_characters_end() {
        for shift in 0..4 {
            let given = format!("{}{}", "x".repeat(shift), "ä€".repeat(2000));
            let kept = info(&written(&given)).unwrap();
            assert!(given.starts_with(&kept) && kept.len() > 3500, "{}", kept.len());
        }
    }

    #[test]
    fn text_of_another_form_has_no_info() {
        assert_eq!(info(b""), None);
        assert_eq!(info(b"no NUL at all"), None);
        assert_eq!(info(b"short\0"), None);
        assert_eq!(info(&[b'x'; STAMP_BYTES + 1]), None);
    }
}
