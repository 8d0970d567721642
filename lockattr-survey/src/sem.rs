//! What the file of a semaphore tells that no function of the C library does.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::libc;

/// How many sleep on the semaphore `name`. None where that is not known.
///
/// glibc keeps the value in the lower half of a 64-bit word and the number of waiters in its upper half where it has
/// 64-bit atomics, and elsewhere in its first and in its fourth word (`struct new_sem` in its `internaltypes.h`). Of lockattr's own waiters it is
/// the one whose turn it is, if that is a thread: a task does not sleep there. It looks around every 8 ms,
/// and is not counted for that moment. One that was killed in its sleep stays counted.
pub(crate) fn sleepers(name: &str) -> Option<u32> {
    if !cfg!(target_env = "gnu") {
        return None;
    }
    let mut options = OpenOptions::new();
    // No link is followed, and no pipe in the file's place waited for.
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path(name)).ok()?;
    if cfg!(target_pointer_width = "64") {
        let mut word = [0; 8];
        file.read_exact_at(&mut word, 0).ok()?;
        u32::try_from(u64::from_ne_bytes(word) >> 32).ok()
    } else {
        let mut word = [0; 4];
        file.read_exact_at(&mut word, 12).ok()?;
        Some(u32::from_ne_bytes(word))
    }
}

/// Whether there is a semaphore of this name.
pub(crate) fn exists(name: &str) -> bool {
    Path::new(&path(name)).symlink_metadata().is_ok()
}

fn path(name: &str) -> String {
    format!("{}/sem.{}", crate::shm::FOLDER, name.strip_prefix('/').unwrap_or(name))
}
