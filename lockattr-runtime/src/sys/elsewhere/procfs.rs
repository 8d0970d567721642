//! `/proc`, which is Linux's: what other systems have by this name has other files.

use std::fs::File;
use std::io;

/// `NotFound`.
pub(crate) fn read(_pid: u32, _file: &str) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::NotFound.into())
}

/// `NotFound`.
pub(crate) fn open(_pid: u32, _file: &str) -> io::Result<File> {
    Err(io::ErrorKind::NotFound.into())
}

/// None: it is not known.
pub(crate) fn uid(_pid: u32) -> Option<u32> {
    None
}

/// Whether it shows this process.
pub(crate) fn is_own() -> bool {
    false
}
