//! A hold that goes on as long as a descriptor is open: `LockGuard::into_descriptor`.
//!
//! From then on the lock belongs to no process, but to all that have a copy of its socket, and nobody is
//! there who would write down its end. So the record says in advance that it is no death.

use super::layout::Field;
use super::snapshot::Snapshot;
use super::{write, Page};
use crate::sys::clock;
use crate::sys::process::Process;

/// In place of the time of the release: the lock is held as long as a descriptor is open.
pub(super) const KEPT: u64 = u64::MAX - 2;

impl Page {
    /// Writes that the caller, who holds the lock still, leaves it to a descriptor.
    pub(crate) fn write_kept(&self) {
        if !matches!(self, Self::Shared(file) if !file.is_whole(clock::monotonic())) {
            write::end(self.words(), KEPT);
        }
    }
}

impl Snapshot {
    /// Whether the last grant was left to a descriptor.
    pub(crate) fn is_kept(&self) -> bool {
        self.word(Field::ReleasedMonotonic) == KEPT
    }

    /// Whether the process that left the lock to a descriptor may run still. (It may have executed another
    /// program meanwhile: its image is not looked at.)
    pub(super) fn may_be_kept(&self) -> bool {
        let identity = crate::sys::process::Identity { image: 0, ..self.identity() };
        self.is_kept() && identity.can_run(Process::this())
    }
}
