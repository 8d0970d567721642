//! Giving a file its bytes, without a signal where it may not have them.

use std::fs::File;
use std::io;

use nix::fcntl::posix_fallocate;
use nix::libc;
use nix::sys::resource::{getrlimit, Resource};

/// Gives `file` the memory for its first `bytes`. It changes no byte and cuts no longer file, so it needs
/// no agreement between processes. (To touch a page that a full tmpfs cannot give is a SIGBUS.)
///
/// # Errors
/// As [`may_grow`], and what the system says.
pub(crate) fn reserve(file: &File, bytes: usize) -> io::Result<()> {
    may_grow(file, bytes)?;
    let length = libc::off_t::try_from(bytes).map_err(|_| too_large())?;
    Ok(posix_fallocate(file, 0, length)?)
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
