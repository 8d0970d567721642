//! How durations and foreign text are shown.

use std::fmt::{self, Write as _};
use std::time::Duration;

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
    fn foreign_text_cannot_steer_a_terminal() {
        let shown = Escaped("a\u{1b}[2J\n\u{202e}'b'").to_string();
        assert!(!shown.contains(['\u{1b}', '\n', '\u{202e}']), "{shown}");
        assert!(shown.ends_with("'b'"), "{shown}");
    }
}
