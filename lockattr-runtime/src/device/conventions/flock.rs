//! `flock(2)` on a device's node, as picocom, tio, esptool and pyserial (`exclusive=True`) take it.
//!
//! `/proc/locks` tells of each by the number of the file system and the inode (proc(5)), also of those that
//! this process could not open. It leaves out those of processes which this pid namespace cannot see.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::path::Path;

use super::super::node::{FileId, Node};
use crate::holder::{Holder, KnownBy};
use crate::sys::{flock, procfs};

/// Who has a flock on the file at the end of `path`, but this process itself.
///
/// # Errors
/// If `/proc/locks` cannot be read, or is that of another pid namespace.
pub(super) fn holders(path: &Path, node: &Node) -> io::Result<Vec<Holder>> {
    let this = std::process::id();
    let mut holders = Vec::new();
    for flock in on_file(&node.file, &read()?) {
        if flock.pid != Some(this) && !is_inherited(&node.file, flock.pid) {
            holders.push(holder(flock.pid, path));
        }
    }
    Ok(holders)
}

/// The holder of a flock that nobody has looked at.
pub(in super::super) fn unseen(path: &Path) -> Holder {
    holder(None, path)
}

fn holder(pid: Option<u32>, path: &Path) -> Holder {
    let info = Some(format!("a flock on {}", path.display()));
    Holder { info, ..Holder::process(pid, KnownBy::Flock) }
}

/// What `/proc/locks` says. It comes a page at a time, and an entry can be missed between two pages, if one before it
/// goes. So what is longer than a page is read twice.
fn read() -> io::Result<String> {
    const PAGE: usize = 4096;

    let mut locks = procfs::locks()?;
    if locks.len() > PAGE {
        locks.extend(procfs::locks()?);
    }
    Ok(String::from_utf8_lossy(&locks).into_owned())
}

/// A line of `/proc/locks`, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flock {
    /// None if the kernel names no process that this one can see.
    pid: Option<u32>,
    /// Whether it excludes all others.
    is_exclusive: bool,
}

/// The flocks on one file. Those that wait for one have a `->` in front.
fn on_file(file: &FileId, locks: &str) -> Vec<Flock> {
    let file = file.to_string();
    let mut found = Vec::new();
    for line in locks.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, "FLOCK", _, access, pid, on, ..] = fields[..] else { continue };
        if on == file {
            let pid = pid.parse().ok().filter(|pid| *pid != 0);
            let flock = Flock { pid, is_exclusive: access == "WRITE" };
            if !found.contains(&flock) {
                found.push(flock);
            }
        }
    }
    found
}

/// Whether this process has a descriptor of that very flock, from the process that took it: as what
/// flock(1) starts. (`/proc/PID/fdinfo`, Linux 4.1.)
fn is_inherited(file: &FileId, pid: Option<u32>) -> bool {
    let descriptors = procfs::descriptors().unwrap_or_default();
    let mut flocks = descriptors.into_iter().flat_map(|it| of_descriptor(file, it));
    flocks.any(|flock| flock.pid == pid)
}

/// The flocks on `file` that one of this process's descriptors has.
fn of_descriptor(file: &FileId, descriptor: RawFd) -> Vec<Flock> {
    let info = procfs::read(std::process::id(), &format!("fdinfo/{descriptor}"));
    let info = String::from_utf8_lossy(&info.unwrap_or_default()).into_owned();
    let locks = info.lines().filter_map(|line| line.strip_prefix("lock:"));
    on_file(file, &locks.collect::<Vec<_>>().join("\n"))
}

/// A flock that is taken on a descriptor of the user's, until this is dropped. Then the descriptor has what it had
/// before.
#[derive(Debug)]
pub(in super::super) struct Joined {
    /// A copy: the caller may close its own.
    descriptor: OwnedFd,
    had: Had,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Had {
    Nothing,
    Shared,
    /// As serialport takes it when it opens a port.
    Exclusive,
}

impl Joined {
    /// None if another program has it.
    pub(in super::super) fn take(descriptor: &OwnedFd) -> io::Result<Option<Self>> {
        let descriptor = descriptor.try_clone()?;
        let file = Node::of_descriptor(&descriptor)?.file;
        let had = match &of_descriptor(&file, descriptor.as_raw_fd())[..] {
            [] => Had::Nothing,
            [Flock { is_exclusive: true, .. }, ..] => Had::Exclusive,
            [_, ..] => Had::Shared,
        };
        // What was shared is let go of before it is taken anew, also if that fails (flock(2)).
        let taken = Self { descriptor, had };
        Ok(flock::try_exclusive(&taken.descriptor)?.then_some(taken))
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        // Nobody could be told of a failure; the close of the last descriptor gives it back.
        let _ = match self.had {
            Had::Nothing => flock::unlock(&self.descriptor),
            Had::Shared => flock::try_shared(&self.descriptor),
            Had::Exclusive => Ok(true),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use nix::fcntl::{Flock as Held, FlockArg};

    use super::*;

    #[test]
    fn a_flock_is_found_by_its_file_and_a_waiter_is_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let node = Node::at(file.path()).unwrap();
        let id = node.file;
        let lines = format!(
            "1: POSIX  ADVISORY  WRITE 7 {id} 0 EOF\n\
             2: FLOCK  ADVISORY  READ 8 {id} 0 EOF\n\
             2: -> FLOCK  ADVISORY  WRITE 9 {id} 0 EOF\n\
             3: FLOCK  ADVISORY  WRITE 10 {id}1 0 EOF\n\
             4: FLOCK  ADVISORY  WRITE 0 {id} 0 EOF\n\
             garbage\n5: FLOCK\n"
        );
        let shared = Flock { pid: Some(8), is_exclusive: false };
        let unseen = Flock { pid: None, is_exclusive: true };
        assert_eq!(on_file(&id, &lines), [shared, unseen]);
    }

    #[test]
    fn this_process_s_own_flock_is_no_others() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let node = Node::at(file.path()).unwrap();
        let opened = File::open(file.path()).unwrap();
        let held = Held::lock(opened, FlockArg::LockExclusiveNonblock).unwrap();
        let own = Flock { pid: Some(std::process::id()), is_exclusive: true };
        assert_eq!(on_file(&node.file, &read().unwrap()), [own]);
        assert_eq!(of_descriptor(&node.file, held.as_raw_fd()), [own]);
        assert!(is_inherited(&node.file, Some(std::process::id())));
        assert_eq!(holders(file.path(), &node).unwrap(), []);
        drop(held);
        assert_eq!(on_file(&node.file, &read().unwrap()), []);
    }

    #[test]
    fn a_descriptor_has_afterwards_what_it_had_before() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let id = Node::at(file.path()).unwrap().file;
        for had in [None, Some(FlockArg::LockSharedNonblock), Some(FlockArg::LockExclusiveNonblock)]
        {
            let opened = OwnedFd::from(File::open(file.path()).unwrap());
            let copy = opened.try_clone().unwrap();
            let held = had.map(|had| Held::lock(copy, had).unwrap());
            let before = of_descriptor(&id, opened.as_raw_fd());
            let joined = Joined::take(&opened).unwrap().unwrap();
            assert!(of_descriptor(&id, opened.as_raw_fd())[0].is_exclusive);
            drop(joined);
            assert_eq!(of_descriptor(&id, opened.as_raw_fd()), before);
            // Another one keeps it out, and it has still what it had.
            drop(held);
            let other = Held::lock(File::open(file.path()).unwrap(), FlockArg::LockSharedNonblock);
            assert!(Joined::take(&opened).unwrap().is_none());
            drop(other);
        }
    }
}
