//! How other programs lock a device. One look finds who does, without opening the device: to open a tty
//! raises DTR, which resets boards.
//!
//! - `flock(2)` on the node: [`flock`].
//! - A lock file of UUCP's: [`uucp`], and this process's own: [`lock_file`].
//!
//! A third way leaves nothing to be seen: `TIOCEXCL` (`ioctl_tty(2)`) makes `open(2)` fail with `EBUSY`, and the
//! kernel tells of it only to those that have the tty open.

pub(super) mod flock;
pub(super) mod lock_file;
mod uucp;

use std::path::Path;

use super::Node;
use crate::holder::Holder;
use crate::tell;

/// The first other process that locks the device, as far as that can be seen. `lock` is its name.
pub(super) fn holder(lock: &str, path: &Path, node: &Node) -> Option<Holder> {
    let by_flock = flock::holders(path, node).unwrap_or_else(|error| {
        tell::not_respected(lock, "/proc/locks, which tells of flock(2)", &error);
        Vec::new()
    });
    by_flock.into_iter().next().or_else(|| uucp::holders(path).into_iter().next())
}

/// All of them.
pub(super) fn holders(path: &Path, node: &Node) -> Vec<Holder> {
    let mut holders = flock::holders(path, node).unwrap_or_default();
    holders.extend(uucp::holders(path));
    holders
}
