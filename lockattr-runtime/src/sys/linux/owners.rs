//! Which process has a socket open: `/proc/PID/fd` (proc(5)).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::sys::limit::{is_over, Limit};
use crate::sys::procfs;

/// A process that has the socket of this inode open, as far as this user may see, and is found within `limit`.
/// It looks at `first` and its children before all others.
pub(crate) fn find_process(inode: u64, first: Option<u32>, limit: Option<Limit>) -> Option<u32> {
    if !procfs::is_own() {
        return None; // other processes are under those pids
    }
    let all = fs::read_dir("/proc").ok()?.filter_map(|entry| number(&entry.ok()?.file_name()));
    let likely = first.into_iter().chain(first.into_iter().flat_map(|pid| children(pid, limit)));
    likely
        .chain(all)
        .take_while(|_| !is_over(limit))
        .find(|pid| has_open(*pid, inode, limit) == Some(true))
}

/// Whether the process `pid` has the socket of this inode open; none where this user may not see that, or has not
/// seen all within `limit`.
pub(crate) fn has_open(pid: u32, inode: u64, limit: Option<Limit>) -> Option<bool> {
    let target = format!("socket:[{inode}]");
    for descriptor in fs::read_dir(format!("/proc/{pid}/fd")).ok()?.filter_map(Result::ok) {
        if is_over(limit) {
            return None;
        }
        let link = fs::read_link(descriptor.path());
        if link.is_ok_and(|link| link.as_os_str().as_bytes() == target.as_bytes()) {
            return Some(true);
        }
    }
    Some(false)
}

/// The children of each of its threads (proc(5), `CONFIG_PROC_CHILDREN`), of which there may be thousands.
fn children(pid: u32, limit: Option<Limit>) -> impl Iterator<Item = u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    threads
        .take_while(move |_| !is_over(limit))
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|line| {
            line.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
}

fn number(name: &OsStr) -> Option<u32> {
    std::str::from_utf8(name.as_bytes()).ok()?.parse().ok()
}
