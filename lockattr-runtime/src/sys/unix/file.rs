//! Giving a file its bytes, without a signal where it may not have them.

use std::fs::File;
use std::io;

#[cfg(any(target_os = "linux", target_os = "android"))]
use nix::fcntl::posix_fallocate;
use nix::libc;
use nix::sys::resource::{getrlimit, Resource};

/// Gives the first `bytes` of `file` memory, and makes it that long if it is shorter: a touch of a
/// mapped page that a full tmpfs cannot give is a SIGBUS. It changes no byte and cuts no longer file,
/// so it needs no agreement between processes.
///
/// # Errors
/// As [`may_grow`], and what the system says.
pub(crate) fn reserve(file: &File, bytes: usize) -> io::Result<()> {
    may_grow(file, bytes)?;
    fill(file, bytes)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn fill(file: &File, bytes: usize) -> io::Result<()> {
    let length = libc::off_t::try_from(bytes).map_err(|_| too_large())?;
    // Before Linux 6.9 tmpfs stops at a signal, also at one whose handler restarts system calls
    // (`shmem_fallocate` in mm/shmem.c; posix_fallocate(3)).
    through_signals(|| posix_fallocate(file, 0, length)).map_err(io::Error::from)
}

/// By zeroes behind its end: not every file system knows `posix_fallocate` (ZFS), nor every system (macOS).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn fill(file: &File, bytes: usize) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;

    let length = file.metadata()?.len();
    let missing = bytes.saturating_sub(usize::try_from(length).unwrap_or(bytes));
    file.write_all_at(&vec![0; missing], length)
}

/// Whether `file` may have `bytes`. A process that lets a file grow beyond its `RLIMIT_FSIZE` (`ulimit -f`,
/// systemd's `LimitFSIZE=`) gets `SIGXFSZ`, which ends it (setrlimit(2)): so this asks before.
///
/// # Errors
/// `EFBIG` if it may not.
pub(crate) fn may_grow(file: &File, bytes: usize) -> io::Result<()> {
    let bytes = u64::try_from(bytes).map_err(|_| too_large())?;
    if file.metadata()?.len() >= bytes {
        return Ok(());
    }
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    // `rlim_t` has 32 bits elsewhere, or a sign, and its highest number is no limit.
    #[allow(clippy::unnecessary_fallible_conversions, clippy::useless_conversion)]
    match u64::try_from(limit) {
        Ok(limit) if limit < bytes => Err(too_large()),
        _ => Ok(()),
    }
}

fn too_large() -> io::Error {
    io::Error::from_raw_os_error(libc::EFBIG)
}

/// The inode of a file.
pub(crate) fn inode(file: &File) -> io::Result<u64> {
    Ok(std::os::unix::fs::MetadataExt::ino(&file.metadata()?))
}

/// Reads all of `buffer` from `offset` on.
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Makes a call until no signal interrupts it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn through_signals<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(nix::Error::EINTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn an_interrupted_call_is_made_again_and_a_failed_one_is_not() {
        let interrupted = Err(nix::Error::EINTR);
        let mut results = [interrupted, interrupted, Ok(7), Ok(8)].into_iter();
        assert_eq!(through_signals(|| results.next().unwrap()), Ok(7));
        let mut results = [interrupted, Err(nix::Error::ENOSPC), Ok(7)].into_iter();
        assert_eq!(through_signals(|| results.next().unwrap()), Err(nix::Error::ENOSPC));
    }

    #[test]
    fn a_sparse_file_gets_memory_and_keeps_its_bytes() {
        let file = tempfile::tempfile_in("/dev/shm").unwrap();
        file.set_len(10_000).unwrap();
        reserve(&file, 4096).unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.len(), 10_000);
        // Elsewhere a file has memory where it was made longer, and not in its holes.
        if cfg!(any(target_os = "linux", target_os = "android")) {
            assert!(std::os::unix::fs::MetadataExt::blocks(&metadata) >= 8);
        }
    }
}
