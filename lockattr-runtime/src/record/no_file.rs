//! Where records have no files: memory of other processes is not reached by a name that everybody knows. A holder is
//! then not known to others.

use std::ffi::OsStr;
use std::fs::{File, ReadDir};
use std::io;

use crate::sys::mapping::Words;

/// There is none.
#[derive(Debug)]
pub(crate) enum SharedFile {}

fn unsupported<T>() -> io::Result<T> {
    let reason = "there are no records on this system, so others are not told who holds";
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

impl SharedFile {
    pub(super) fn open(_name: &str, _uid: u32) -> io::Result<Self> {
        unsupported()
    }

    pub(super) fn is_of(&self, _uid: u32) -> bool {
        match *self {}
    }

    pub(super) fn uid(&self) -> u32 {
        match *self {}
    }

    pub(super) fn inode(&self) -> u64 {
        match *self {}
    }

    pub(super) fn is_whole(&self, _now: u64) -> bool {
        match *self {}
    }

    pub(super) fn words(&self) -> &Words {
        match *self {}
    }
}

/// No folder, as where nobody has made a record yet.
pub(super) fn all() -> io::Result<ReadDir> {
    Err(io::ErrorKind::NotFound.into())
}

pub(super) fn open_readable(_name: &str, _uid: u32) -> io::Result<File> {
    unsupported()
}

pub(super) fn open_named(_file_name: &OsStr, _uid: u32) -> io::Result<File> {
    unsupported()
}

/// None: it is no record's.
pub(super) fn uid_in(_file_name: &OsStr, _encoded: &str) -> Option<u32> {
    None
}

/// None, as [`uid_in`].
pub(super) fn parts(_file_name: &OsStr) -> Option<(u32, &str)> {
    None
}

/// Nothing is removed.
pub(super) fn remove(_name: &str, _uid: u32) {}

pub(super) fn encoded(name: &str) -> String {
    name.to_owned()
}
