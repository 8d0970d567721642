//! The text at a record's start: `2024-10-20 16:00:51.864484 - where it was taken`, NUL-terminated.
//! It is what resourcelock (cjnfuncs 3.2.3) writes, so its tools can show it.

mod site;
mod stamp;

use std::fmt::Write as _;
use std::panic::Location;
use std::sync::atomic::{fence, AtomicU64, Ordering};

use super::layout::{TEXT_BYTES, TEXT_WORDS};
use crate::info::{program, Info};
use crate::sys::mapping::Words;
use crate::text::Buffer;
use stamp::{stamp, STAMP_WORDS};

pub(super) use stamp::STAMP_BYTES;
pub(super) use stamp::{is_stamped, time};

/// A text of which all but the first word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Until this word stands, the text is marked as being written.
    pub(super) first: u64,
    /// The [`digest`] of the whole text.
    pub(super) digest: u64,
}

impl Written {
    /// Makes the text the one that was written. Its digest must be recorded before.
    pub(super) fn commit(self, words: &Words) {
        words[0].store(self.first, Ordering::Release);
    }

    /// As [`commit`](Self::commit), if no program has written over the mark: whether none has.
    pub(super) fn commit_over_mark(self, words: &Words) -> bool {
        let (to, failed) = (Ordering::AcqRel, Ordering::Acquire);
        words[0].compare_exchange(MARK, self.first, to, failed).is_ok()
    }
}

/// Writes the time (`wall` nanoseconds since 1970, shown in local time) and `info`, as far as both fit
/// into `limit` bytes. What does not is cut at a character's end; a NUL inside is shown as U+FFFD.
/// The first word is left to [`Written::commit`].
#[inline]
pub(super) fn write(words: &Words, limit: usize, wall: u64, info: Info<'_>) -> Written {
    let (stamp, limit) = (stamp(wall), limit.min(TEXT_BYTES));
    let written = match info {
        Info::Text(text) => write_whole(words, limit, stamp, text),
        Info::Place(place) => site::write(words, limit, &stamp, program(), place),
        Info::Function(function, place) => site::write(words, limit, &stamp, function, place),
    };
    written.unwrap_or_else(|| write_by_parts(words, limit, stamp, info))
}

/// As [`write`], whatever there is to write.
#[cold]
fn write_by_parts(
    words: &Words,
    limit: usize,
    stamp: [u64; STAMP_WORDS],
    info: Info<'_>,
) -> Written {
    let text = Text::new(&words[..TEXT_WORDS], limit, stamp);
    let text = match info {
        Info::Text(info) => text.with(info),
        Info::Place(place) => text.with_site(program(), place),
        Info::Function(function, place) => text.with_site(function, place),
    };
    text.finish()
}

/// As [`write`], a word at a time. None, and perhaps a part written, if `text` is too long or has a NUL.
#[inline]
fn write_whole(
    words: &Words,
    limit: usize,
    stamp: [u64; STAMP_WORDS],
    text: &str,
) -> Option<Written> {
    /// Those of the text that share a word with the time.
    const FIRST: usize = STAMP_WORDS * 8 - STAMP_BYTES;

    // Room is kept for the NUL. Texts that do not fill the first bytes are written the other way, too.
    if text.len() < FIRST || STAMP_BYTES + text.len() >= limit {
        return None;
    }
    let (first, rest) = text.as_bytes().split_at(FIRST);
    let mut word = [0; 8];
    word[8 - FIRST..].copy_from_slice(first);
    let first = u64::from_ne_bytes(word);
    let mut has_nul = has_nul(first | u64::from_ne_bytes([0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0]));
    let (first, mut digest) = write_stamp(words, &stamp, first);

    let mut chunks = rest.chunks_exact(8);
    let mut index = STAMP_WORDS;
    for chunk in &mut chunks {
        let word = chunk.try_into().map_or(0, u64::from_ne_bytes);
        has_nul |= self::has_nul(word);
        digest = digest.wrapping_add(term(index, word));
        words.get(index)?.store(word, Ordering::Relaxed);
        index += 1;
    }
    // At least one byte of the last word is the NUL.
    let mut word = [0xff; 8];
    word[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    has_nul |= self::has_nul(u64::from_ne_bytes(word));
    word[chunks.remainder().len()..].fill(0);
    let word = u64::from_ne_bytes(word);
    words.get(index)?.store(word, Ordering::Relaxed);
    digest = digest.wrapping_add(term(index, word));
    (!has_nul).then_some(Written { first, digest })
}

/// Whether one of the word's bytes is 0.
#[inline]
fn has_nul(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

    word.wrapping_sub(ONES) & !word & HIGHS != 0
}

/// Writes the time, and what follows it in its last word; but not the first word, which it returns with the
/// digest of all. (It reads one word after the other: what was just written by words and is then copied as
/// a whole makes the processor wait.)
#[inline]
fn write_stamp(words: &Words, stamp: &[u64; STAMP_WORDS], last: u64) -> (u64, u64) {
    let mut digest = term(0, stamp[0]);
    for index in 1..STAMP_WORDS {
        let word = if index == STAMP_WORDS - 1 { stamp[index] | last } else { stamp[index] };
        words[index].store(word, Ordering::Relaxed);
        digest = digest.wrapping_add(term(index, word));
    }
    (stamp[0], digest)
}

/// The first word of a text that is being written. It begins with a NUL: to other programs the text is
/// empty, and no text of theirs begins so.
const MARK: u64 = u64::from_ne_bytes(*b"\0writing");

/// Makes the text one that is being written.
pub(super) fn mark(words: &Words) {
    words[0].store(MARK, Ordering::Relaxed);
    // The mark is visible before all that is written after it.
    fence(Ordering::Release);
}

/// As [`mark`], if the text begins with `first` still, or is marked by another process that wants to own it:
/// whether it did.
pub(super) fn mark_after(words: &Words, first: u64) -> bool {
    let swapped = words[0].compare_exchange(first, MARK, Ordering::AcqRel, Ordering::Acquire);
    fence(Ordering::Release);
    swapped.is_ok() || swapped == Err(MARK)
}

/// Whether a text is one that is being written, or has this [`digest`].
pub(super) fn is_an_owners(words: impl Iterator<Item = u64>, digest: u64) -> bool {
    let mut words = words.peekable();
    words.peek() == Some(&MARK) || self::digest(words) == digest
}

/// What tells a text from others: of its words up to the one with the NUL, and of the bytes in that one
/// that stand before the NUL. 0 for an empty text.
///
/// It is compared where a process has died: was it the last one to write here? Another one's text
/// begins with another time, so nothing better than a sum is needed. (Its terms do not wait for each
/// other, as those of a better mixing would.)
pub(super) fn digest(words: impl Iterator<Item = u64>) -> u64 {
    let mut digest = 0_u64;
    for (index, word) in words.enumerate() {
        let bytes = word.to_ne_bytes();
        if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            let mut last = [0; 8];
            last[..end].copy_from_slice(&bytes[..end]);
            return digest.wrapping_add(term(index, u64::from_ne_bytes(last)));
        }
        digest = digest.wrapping_add(term(index, word));
    }
    digest
}

/// Of a word at its place. 0 of 0.
#[inline]
fn term(index: usize, word: u64) -> u64 {
    // Odd, so that no bit of the word is lost, and another one at each place.
    let factor = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * index as u64 + 1);
    (word ^ word >> 32).wrapping_mul(factor)
}

/// The info out of a record's text; none if the text is not of this form.
pub(super) fn info(text: &[u8]) -> Option<String> {
    let text = up_to_nul(text);
    is_stamped(text).then(|| String::from_utf8_lossy(&text[STAMP_BYTES..]).into_owned())
}

/// Any text, whatever its form.
pub(super) fn whole(text: &[u8]) -> String {
    String::from_utf8_lossy(up_to_nul(text)).into_owned()
}

/// A text that is too long for a record has none.
fn up_to_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The [`info`] of a grant at `wall` whose text had this digest; none if another text has gone over it.
///
/// The next owner may have marked the text as its own by now, and so taken the first word of it: year and
/// month, which can be written again.
pub(super) fn info_of(text: &[u8], digest: u64, wall: u64) -> Option<String> {
    let mut text = text.to_vec();
    if text.starts_with(&MARK.to_ne_bytes()) {
        text[..8].copy_from_slice(&stamp(wall)[0].to_ne_bytes());
    }
    let words = text.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_ne_bytes));
    (self::digest(words) == digest).then(|| info(&text))?
}

/// How many bytes are collected before they are stored.
const STAGE: usize = 128;

/// Collects bytes to words, and stores the words: no copy of the whole text is made first. The first word
/// is kept.
struct Text<'a> {
    words: &'a [AtomicU64],
    /// How many bytes it may have, with its NUL.
    limit: usize,
    /// What has not been stored yet.
    staged: [u8; STAGE],
    filled: usize,
    stored_words: usize,
    first: u64,
    digest: u64,
    /// Something did not fit: nothing comes behind it.
    is_cut: bool,
}

impl<'a> Text<'a> {
    fn new(words: &'a [AtomicU64], limit: usize, stamp: [u64; STAMP_WORDS]) -> Self {
        let mut staged = [0; STAGE];
        for (place, word) in staged.chunks_exact_mut(8).zip(stamp) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        let filled = STAMP_BYTES.min(limit - 1);
        Self { words, limit, staged, filled, stored_words: 0, first: 0, digest: 0, is_cut: false }
    }

    /// The bytes that may still come: room is kept for the NUL.
    fn room(&self) -> usize {
        if self.is_cut {
            return 0;
        }
        (self.limit - 1).saturating_sub(self.stored_words * 8 + self.filled)
    }

    fn with(mut self, text: &str) -> Self {
        for (index, part) in text.split('\0').enumerate() {
            if index > 0 {
                self.push("\u{fffd}");
            }
            self.push(part);
        }
        self
    }

    /// `sensord::bme280::read (src/main.rs:7)`, with the program in place of the function where there is none; if
    /// that is not known either, `src/bme280.rs:42`.
    fn with_site(mut self, function: &str, place: &Location<'_>) -> Self {
        self.push(function);
        self.push(if function.is_empty() { "" } else { " (" });
        self.push(place.file());
        self.push(":");
        let mut line = Buffer::<10>::new(); // as many digits as the largest has
        let _ = write!(line, "{}", place.line());
        self.push(line.as_str());
        self.push(if function.is_empty() { "" } else { ")" });
        self
    }

    fn push(&mut self, part: &str) {
        let mut end = part.len().min(self.room());
        while !part.is_char_boundary(end) {
            end -= 1;
        }
        self.is_cut |= end < part.len();
        let mut bytes = &part.as_bytes()[..end];
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
        let end = self.filled.next_multiple_of(8);
        self.staged[self.filled..end].fill(0);
        let words = self.staged[..end].chunks_exact(8);
        for (place, word) in self.words[self.stored_words..].iter().zip(words) {
            let word = word.try_into().map_or(0, u64::from_ne_bytes);
            match self.stored_words {
                0 => self.first = word,
                _ => place.store(word, Ordering::Relaxed),
            }
            self.digest = self.digest.wrapping_add(term(self.stored_words, word));
            self.stored_words += 1;
        }
        self.filled = 0;
    }

    /// Ends the text with a NUL.
    fn finish(mut self) -> Written {
        self.staged[self.filled] = 0;
        self.filled += 1;
        self.store();
        Written { first: self.first, digest: self.digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mapping::PAGE_WORDS;

    /// What a record's text holds after `info` was written.
    fn written(info: &str) -> Vec<u8> {
        written_within(TEXT_BYTES, info)
    }

    fn written_within(limit: usize, info: &str) -> Vec<u8> {
        let words: Box<Words> = Box::new([(); PAGE_WORDS].map(|()| u64::MAX.into()));
        let written = write(&words, limit, 1_700_000_000_123_456_789, Info::Text(info));
        assert_eq!(words[0].load(Ordering::Relaxed), u64::MAX, "the first word comes last");
        written.commit(&words);
        let text = words[..TEXT_WORDS].iter().map(|word| word.load(Ordering::Relaxed));
        assert_eq!(digest(text), written.digest, "{info}");
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
    fn the_info_comes_back_whatever_its_length() {
        for length in 0..40 {
            let given = "x".repeat(length);
            assert_eq!(info(&written(&given)), Some(given));
        }
        assert_eq!(info(&written("a\0b")).as_deref(), Some("a\u{fffd}b"));
        // One in each word that is written.
        let given = "a\0b\0cdefghi\0j";
        assert_eq!(info(&written(given)), Some(given.replace('\0', "\u{fffd}")));
    }

    #[test]
    fn a_call_site_is_shown_by_its_function_and_place() {
        let words: Box<Words> = Box::new([(); PAGE_WORDS].map(|()| 0.into()));
        let place = Location::caller();
        let shown = |function| {
            let text = Text::new(&words[..TEXT_WORDS], TEXT_BYTES, stamp(0));
            text.with_site(function, place).finish().commit(&words);
            let text = words[..TEXT_WORDS].iter().map(|word| word.load(Ordering::Relaxed));
            info(&text.flat_map(u64::to_ne_bytes).collect::<Vec<_>>()).unwrap()
        };
        let (file, line) = (place.file(), place.line());
        assert_eq!(shown("bme280::read"), format!("bme280::read ({file}:{line})"));
        assert_eq!(shown(""), format!("{file}:{line}"));
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
    fn a_text_ends_within_its_limit() {
        for limit in [1, 7, 8, STAMP_BYTES, STAMP_BYTES + 1, 40, STAGE, STAGE + 1, 4096] {
            let text = written_within(limit, &"x".repeat(5000));
            let end = text.iter().position(|byte| *byte == 0).unwrap();
            assert_eq!(end + 1, limit.min(TEXT_BYTES));
        }
    }

    #[test]
    fn a_digest_is_of_the_text_and_of_nothing_behind_it() {
        let of = |text: &[u8]| {
            let mut bytes = [0xff; 24];
            bytes[..text.len()].copy_from_slice(text);
            let words = bytes.chunks_exact(8).map(|word| word.try_into().unwrap());
            digest(words.map(u64::from_ne_bytes))
        };
        assert_eq!(of(b"\0"), 0);
        assert_eq!(of(b"\0rest"), 0);
        assert_eq!(of(b"1234567\0abc"), of(b"1234567\0"));
        assert_eq!(of(b"12345678\0"), of(b"12345678\0old"));
        assert_ne!(of(b"12345678\0"), of(b"1234567\0"));
        assert_ne!(of(b"12345678\0"), of(b"12345679\0"));
        // Each bit of a word counts, and its place.
        for bit in 0..64 {
            assert_ne!(term(1, 1 << bit), term(0, 1 << bit));
            for other in (0..64).filter(|other| *other != bit) {
                let both = term(1, 1 << bit | 1 << other);
                assert!(both != term(1, 1 << other) && both != 0, "{bit} {other}");
            }
        }
    }

    #[test]
    fn a_text_is_an_owners_while_it_is_written_and_when_its_digest_is_known() {
        let words: Box<Words> = Box::new([(); PAGE_WORDS].map(|()| 0.into()));
        let is_an_owners = |digest| {
            let text = words[..TEXT_WORDS].iter().map(|word| word.load(Ordering::Relaxed));
            super::is_an_owners(text, digest)
        };
        assert!(is_an_owners(0) && !is_an_owners(1));
        mark(&words);
        assert!(is_an_owners(0) && is_an_owners(1));
        let written = write(&words, TEXT_BYTES, 1_700_000_000_123_456_789, Info::Text("here"));
        assert!(is_an_owners(0) && is_an_owners(written.digest));
        written.commit(&words);
        assert!(is_an_owners(written.digest) && !is_an_owners(0));
    }

    #[test]
    fn the_info_of_a_text_that_is_marked_comes_back_unless_it_was_anothers() {
        const WALL: u64 = 1_700_000_000_123_456_789;

        let words: Box<Words> = Box::new([(); PAGE_WORDS].map(|()| 0.into()));
        let written = write(&words, TEXT_BYTES, WALL, Info::Text("here"));
        mark(&words);
        let text: Vec<u8> = words[..TEXT_WORDS]
            .iter()
            .flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes())
            .collect();
        assert_eq!(info_of(&text, written.digest, WALL).as_deref(), Some("here"));
        assert_eq!(info_of(&text, written.digest + 1, WALL), None);
        assert_eq!(info_of(&text, written.digest, WALL + 40 * 86_400_000_000_000), None);
    }

    #[test]
    fn the_time_comes_back() {
        assert_eq!(time(&written("x")), Some(1_700_000_000_123_456_000));
        assert_eq!(time(b"2023-11-1 no time at all, none"), None);
        assert_eq!(time(b"2023"), None);
    }

    /// Where local time is another one than UTC.
    #[test]
    fn the_time_comes_back_in_each_zone() {
        for zone in ["UTC0", "XXX-5:30", "XXX8"] {
            let mut test = std::process::Command::new(std::env::current_exe().unwrap());
            test.args(["--exact", "record::text::tests::the_time_comes_back"]).env("TZ", zone);
            let ended = test.output().unwrap();
            assert!(ended.status.success(), "{zone}: {ended:?}");
            assert!(String::from_utf8_lossy(&ended.stdout).contains("1 passed"), "{ended:?}");
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
