//! From where a lock is taken.

use std::panic::Location;

/// What is written into the record about a grant. Plain data: no code of the user runs while a lock
/// is being taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Info<'a> {
    /// What the user says.
    Text(&'a str),
    /// The place of a call: `src/bme280.rs:42`.
    Place(&'static Location<'static>),
    /// An annotated function, and the place that it was called from:
    /// `sensord::bme280::read (src/main.rs:7)`.
    Function(&'static str, &'static Location<'static>),
}
