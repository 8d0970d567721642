//! Signals as something to wait for.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use nix::libc::c_int;
use nix::sys::signal::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;

/// What ends a program that is not told otherwise.
pub(crate) const ENDING: [c_int; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Becomes readable when one of [`ENDING`] has come, which then does nothing else.
pub(crate) fn ending() -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    for signal in ENDING.into_iter().filter(|signal| !is_ignored(*signal)) {
        pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

/// Writing beyond the limit of a file's size (`ulimit -f`) is an error from here on, and does not end this
/// program. A handler, not `SIG_IGN`: the commands that it starts find the signal as it was.
pub(crate) fn survive_limits() -> io::Result<()> {
    let signal = Signal::SIGXFSZ as c_int;
    if !is_ignored(signal) {
        flag::register(signal, Arc::default())?;
    }
    Ok(())
}

/// Whether this process was started with `signal` ignored, as by `nohup`. It stays so, for the
/// commands that it starts too.
pub(crate) fn is_ignored(signal: c_int) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}
