//! From where a lock is taken.

use std::fmt;
use std::panic::Location;

/// What is written into the record about a grant. Plain data: no code of the user runs while a lock
/// is being taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Info<'a> {
    /// What the user says.
    Text(&'a str),
    /// The place of a call.
    Place(&'static Location<'static>),
    /// An annotated function, and the place that it was called from.
    Function(&'static str, &'static Location<'static>),
}

impl fmt::Display for Info<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Place(place) => write!(f, "{}:{}", place.file(), place.line()),
            Self::Function(function, place) => {
                write!(f, "{function} ({}:{})", place.file(), place.line())
            }
        }
    }
}
