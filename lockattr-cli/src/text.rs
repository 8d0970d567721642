//! How foreign text and spans of time are shown.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// Text that another process wrote: what a terminal could take for a command is shown as an escape.
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

/// A span of time as a reader wants it: `0.25s`, `3.4s`, `4m07s`, `3h12m`, `2d03h`.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0 => write!(f, "{:.2}s", self.0.as_secs_f64()),
            1..=99 => write!(f, "{:.1}s", self.0.as_secs_f64()),
            100..=3599 => write!(f, "{}m{:02}s", seconds / 60, seconds % 60),
            3600..=86_399 => write!(f, "{}h{:02}m", seconds / 3600, seconds / 60 % 60),
            _ => write!(f, "{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
        }
    }
}

/// An amount of memory: `12 KiB`, `3.4 MiB`.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..=1_048_575 => write!(f, "{} KiB", self.0.div_ceil(1024)),
            bytes => {
                let tenths = bytes * 10 / 1_048_576;
                write!(f, "{}.{} MiB", tenths / 10, tenths % 10)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        let shown = Escaped("a\u{1b}[2J\n\u{9b}\u{202e}'b'").to_string();
        assert!(!shown.contains(['\u{1b}', '\n', '\u{9b}', '\u{202e}']), "{shown}");
        assert!(shown.starts_with("a\\u{1b}") && shown.ends_with("'b'"), "{shown}");
    }

    #[test]
    fn spans_show_what_matters() {
        let shown = |ms| Span(Duration::from_millis(ms)).to_string();
        assert_eq!(shown(250), "0.25s");
        assert_eq!(shown(3_400), "3.4s");
        assert_eq!(shown(247_000), "4m07s");
        assert_eq!(shown(11_520_000), "3h12m");
        assert_eq!(shown(183_600_000), "2d03h");
    }
}
