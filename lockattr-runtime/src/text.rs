//! How durations and foreign text are shown.

use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime};

use crate::calendar::date;

/// Seconds with the digits that matter to a reader: `0.25 s`, `3.4 s`, `125 s`.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let digits = match seconds {
            s if s < 0.01 => 4,
            s if s < 1.0 => 2,
            s if s < 100.0 => 1,
            _ => 0,
        };
        write!(f, "{seconds:.digits$} s")
    }
}

/// A time of the wall clock in UTC: `2026-11-23T01:05:03Z`.
pub(crate) struct Utc(pub(crate) SystemTime);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;

        let Ok(since) = self.0.duration_since(SystemTime::UNIX_EPOCH) else {
            return f.write_str("before 1970");
        };
        let (days, second) = (since.as_secs() / DAY, since.as_secs() % DAY);
        let (year, month, day) = date(i64::try_from(days).unwrap_or(i64::MAX));
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Text that another process wrote: anything that a terminal or a log could take for a command is
/// shown as an escape.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            // Quotes need no escape on a terminal; all else that `escape_debug` escapes does.
            if matches!(c, '"' | '\'') {
                f.write_char(c)?;
            } else {
                write!(f, "{}", c.escape_debug())?;
            }
        }
        Ok(())
    }
}

/// As [`Escaped`], for a line among others: a long text is cut.
pub(crate) struct Short<'a>(pub(crate) &'a str);

/// Characters of a text that a line shows.
const SHORT: usize = 240;

impl Short<'_> {
    pub(crate) fn is_cut(&self) -> bool {
        self.end().is_some()
    }

    fn end(&self) -> Option<usize> {
        self.0.char_indices().nth(SHORT).map(|(end, _)| end)
    }
}

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end() {
            Some(end) => write!(f, "{}…", Escaped(&self.0[..end])),
            None => Escaped(self.0).fmt(f),
        }
    }
}

/// Text in a fixed space, written before a lock is taken: nothing is allocated, and what does not fit
/// is counted.
pub(crate) struct Buffer<const BYTES: usize> {
    bytes: [u8; BYTES],
    length: usize,
}

impl<const BYTES: usize> Buffer<BYTES> {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; BYTES], length: 0 }
    }

    /// The bytes of the whole text.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// As [`as_str`](Self::as_str), and perhaps a part of a character more.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length.min(BYTES)]
    }

    /// The text, or what fits of it.
    pub(crate) fn as_str(&self) -> &str {
        let bytes = self.as_bytes();
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            // Cut within a character.
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        }
    }
}

impl<const BYTES: usize> fmt::Write for Buffer<BYTES> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(room) = self.bytes.get_mut(self.length..) {
            let fitting = text.len().min(room.len());
            room[..fitting].copy_from_slice(&text.as_bytes()[..fitting]);
        }
        self.length = self.length.saturating_add(text.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_show_the_digits_that_matter() {
        let shown = |ms| Seconds(Duration::from_millis(ms)).to_string();
        assert_eq!(shown(0), "0.0000 s");
        assert_eq!(shown(250), "0.25 s");
        assert_eq!(shown(3_400), "3.4 s");
        assert_eq!(shown(125_000), "125 s");
    }

    #[test]
    fn a_time_is_shown_as_people_write_it() {
        let shown =
            |seconds| Utc(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
        assert_eq!(shown(0), "1970-01-01T00:00:00Z");
        assert_eq!(shown(951_782_400 - 1), "2000-02-28T23:59:59Z");
        assert_eq!(shown(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(shown(1_795_395_903), "2026-11-23T01:05:03Z");
        assert_eq!(shown(4_102_444_799), "2099-12-31T23:59:59Z");
    }

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        let shown = Escaped("a\u{1b}[2J\n\u{202e}'b'").to_string();
        assert!(!shown.contains(['\u{1b}', '\n', '\u{202e}']), "{shown}");
        assert!(shown.ends_with("'b'"), "{shown}");
    }
}
