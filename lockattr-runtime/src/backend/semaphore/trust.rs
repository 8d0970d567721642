//! Whose files a process may rely on.
//!
//! The owner of a file can cut it at any time, and then the next touch of its mapping ends the
//! process (SIGBUS). The kernel's permissions say who may open a file. They do not say whom to rely on:
//! root may open anything, and in `/dev/shm` any user may be the first to make a file of a given name.
//! So a file must be this user's own or root's, or both sides have said that they share the lock.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{getegid, geteuid, getgroups, Gid};

use crate::backend::Failure;

const ROOT: u32 = 0;

/// Whether this process, whose lock has the mode `allowed`, may map the file.
///
/// # Errors
/// [`Failure::Untrusted`] if not.
pub(super) fn check(file: &Metadata, path: &Path, allowed: u32) -> Result<(), Failure> {
    let uid = file.uid();
    let is_shared = || lets_in(file.mode() & allowed, is_in(Gid::from_raw(file.gid())));
    // The groups are asked for last: nearly all files are this user's own.
    if uid == ROOT || uid == geteuid().as_raw() || is_shared() {
        return Ok(());
    }
    let mode = file.mode() & 0o7777;
    Err(Failure::Untrusted { path: path.to_owned(), uid, mode, allowed })
}

/// Whether a mode lets a process read and write that is not the owner's. For one in the group, the bits
/// of all others do not count (`path_resolution(7)`).
fn lets_in(mode: u32, is_in_group: bool) -> bool {
    const READ_AND_WRITE: u32 = 0o6;

    let bits = if is_in_group { mode >> 3 } else { mode };
    bits & READ_AND_WRITE == READ_AND_WRITE
}

fn is_in(group: Gid) -> bool {
    group == getegid() || getgroups().is_ok_and(|groups| groups.contains(&group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_lets_in_the_group_or_all_others() {
        for (mode, group, others) in [
            (0o600, false, false),
            (0o640, false, false),
            (0o660, true, false),
            (0o606, false, true),
            (0o666, true, true),
            (0o664, true, false),
        ] {
            assert_eq!([lets_in(mode, true), lets_in(mode, false)], [group, others], "{mode:o}");
        }
    }
}
