//! From where a lock is taken.

use std::env;
use std::panic::Location;
use std::path::Path;

use once_cell::race::OnceBox;

/// What is written into the record about a grant. Plain data: no code of the user runs while a lock
/// is being taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Info<'a> {
    /// What the user says.
    Text(&'a str),
    /// The place of a call, which is shown behind the [`program`]: `hammer (src/main.rs:74)`.
    Place(&'static Location<'static>),
    /// An annotated function, and the place that it was called from:
    /// `sensord::bme280::read (src/main.rs:7)`.
    Function(&'static str, &'static Location<'static>),
}

/// What this program was called as, without its folder; empty where it is not told. Of a call site alone, readers
/// without `/proc` at hand, as Python's, would not see whose it is.
#[inline]
pub(crate) fn program() -> &'static str {
    static PROGRAM: OnceBox<String> = OnceBox::new();

    PROGRAM.get_or_init(|| Box::new(find_program()))
}

#[cold]
fn find_program() -> String {
    /// Longer names are cut.
    const CHARACTERS: usize = 40;

    let called = env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or_default();
    name.to_string_lossy().chars().take(CHARACTERS).collect()
}
