//! The memory of a record, which other processes do not share here.

use std::mem::size_of;
use std::sync::atomic::AtomicU64;

/// The size of a lock's record.
pub(crate) const PAGE_BYTES: usize = 4096;
pub(crate) const PAGE_WORDS: usize = PAGE_BYTES / size_of::<AtomicU64>();

/// A page as 64-bit words.
pub(crate) type Words = [AtomicU64; PAGE_WORDS];

/// Whether a process executes another program since: that is not possible here.
pub(crate) fn was_left_by_exec(_pid: u32, _inode: u64) -> bool {
    false
}
