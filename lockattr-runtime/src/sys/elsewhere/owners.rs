//! Which process has a socket open: these systems do not tell everybody.

use crate::sys::limit::Limit;

/// None: no process is found.
pub(crate) fn find_process(_inode: u64, _first: Option<u32>, _limit: Option<Limit>) -> Option<u32> {
    None
}

/// None: that is not seen.
pub(crate) fn has_open(_pid: u32, _inode: u64, _limit: Option<Limit>) -> Option<bool> {
    None
}
