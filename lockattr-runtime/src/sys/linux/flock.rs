//! `flock(2)`, which belongs to an open file: to all descriptors that are copies of one.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

use nix::libc;

/// Takes it for this file alone, if no other one has it: whether it did.
pub(crate) fn try_exclusive(descriptor: &impl AsFd) -> io::Result<bool> {
    try_call(descriptor, libc::LOCK_EX | libc::LOCK_NB)
}

/// Takes it, or leaves it, so that others may share it.
pub(crate) fn try_shared(descriptor: &impl AsFd) -> io::Result<bool> {
    try_call(descriptor, libc::LOCK_SH | libc::LOCK_NB)
}

pub(crate) fn unlock(descriptor: &impl AsFd) -> io::Result<bool> {
    try_call(descriptor, libc::LOCK_UN)
}

fn try_call(descriptor: &impl AsFd, operation: i32) -> io::Result<bool> {
    loop {
        // SAFETY: flock(2) takes two numbers; the descriptor is open for as long as it is borrowed.
        if unsafe { libc::flock(descriptor.as_fd().as_raw_fd(), operation) } == 0 {
            return Ok(true);
        }
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => {}
            error if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            error => return Err(error),
        }
    }
}
