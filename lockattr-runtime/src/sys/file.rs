//! Giving a file its bytes, without a signal where it may not have them.

use std::fs::File;
use std::io;

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
    let length = libc::off_t::try_from(bytes).map_err(|_| too_large())?;
    // Before Linux 6.9 tmpfs stops at a signal, also at one whose handler restarts system calls
    // (`shmem_fallocate` in mm/shmem.c; posix_fallocate(3)).
    through_signals(|| posix_fallocate(file, 0, length)).map_err(io::Error::from)
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
    #[allow(clippy::useless_conversion)] // `rlim_t` has 32 bits elsewhere
    if u64::from(limit) < bytes {
        return Err(too_large());
    }
    Ok(())
}

fn too_large() -> io::Error {
    io::Error::from_raw_os_error(libc::EFBIG)
}

/// Makes a call until no signal interrupts it.
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
        assert!(std::os::unix::fs::MetadataExt::blocks(&metadata) >= 8);
    }
}
