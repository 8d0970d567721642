//! Memory that processes share.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::mem::size_of;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use nix::sys::mman::{mmap, munmap, MapFlags, ProtFlags};

use crate::sys::procfs;

/// The size of a lock's record, whatever the machine's page size is.
pub(crate) const PAGE_BYTES: usize = 4096;
pub(crate) const PAGE_WORDS: usize = PAGE_BYTES / size_of::<AtomicU64>();

/// A page as 64-bit words. Other processes change them at any time, so they are atomics.
pub(crate) type Words = [AtomicU64; PAGE_WORDS];

/// What may lie in memory that any process changes at any time.
///
/// # Safety
/// Every pattern of bytes is a valid value, it needs no more than a page's alignment, and it is only
/// reached in ways that other processes may meet: atomics, and what the C library does for it.
pub(crate) unsafe trait Shareable {
    /// Its size is not zero.
    const LENGTH: NonZeroUsize;
}

// SAFETY: any bytes are valid words, and they are atomics.
unsafe impl Shareable for Words {
    const LENGTH: NonZeroUsize = match NonZeroUsize::new(PAGE_BYTES) {
        Some(length) => length,
        None => unreachable!(),
    };
}

/// A file's first bytes, mapped to be read and written.
#[derive(Debug)]
pub(crate) struct Mapping<T: Shareable>(NonNull<T>);

// SAFETY: the mapping belongs to this value until it is dropped, and is only reached in ways that
// other processes may meet, so other threads may as well.
unsafe impl<T: Shareable> Send for Mapping<T> {}
// SAFETY: as above.
unsafe impl<T: Shareable> Sync for Mapping<T> {}

/// A lock's record.
pub(crate) type SharedPage = Mapping<Words>;

impl<T: Shareable> Mapping<T> {
    /// Maps the first bytes of `file`, which must have as many as `T`: a touch of what lies beyond a
    /// file's last page is a SIGBUS (mmap(2)).
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of this
        // program.
        let base = unsafe {
            mmap(
                None,
                T::LENGTH,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                MapFlags::MAP_SHARED,
                file,
                0,
            )?
        };
        Ok(Self(base.cast()))
    }

    pub(crate) fn get(&self) -> &T {
        // SAFETY: the mapping has the size of a `T`, is aligned to a page, and lives as long as
        // `self`; any bytes are a valid `T`, and what changes in it is no ordinary memory to Rust.
        unsafe { self.0.as_ref() }
    }
}

/// Whether the process `pid`, which had a file with this inode mapped, executes another program since:
/// `exec` drops all mappings. When in doubt, as where `/proc` does not show it, it does not.
///
/// Only asked for where the kernel does not choose addresses at random, so that a program has those of
/// the one before it (personality(2), `kernel.randomize_va_space`). Elsewhere they have told.
pub(crate) fn was_left_by_exec(pid: u32, inode: u64) -> bool {
    const ADDR_NO_RANDOMIZE: u32 = 0x004_0000;

    let addresses_repeat = || {
        let personality = String::from_utf8(procfs::read(pid, "personality").ok()?).ok()?;
        let flags = u32::from_str_radix(personality.trim_end(), 16).ok()?;
        let random = || fs::read_to_string("/proc/sys/kernel/randomize_va_space").ok();
        Some(flags & ADDR_NO_RANDOMIZE != 0 || random()?.trim_end() == "0")
    };
    let until = Instant::now() + PATIENCE;
    addresses_repeat() == Some(true)
        // Twice, as the kernel writes the list in parts, and the mappings may change between two.
        && (0..2).all(|_| has_mapped(pid, inode, until) == Some(false))
}

/// The list of a process's mappings may be long, and it is read on the way of a timeout.
const PATIENCE: Duration = Duration::from_millis(3);

/// Whether the process `pid` has mapped a file with this inode; none where that is not seen until then.
fn has_mapped(pid: u32, inode: u64, until: Instant) -> Option<bool> {
    let mut list = procfs::open(pid, "maps").ok()?;
    let mut chunk = vec![0; 64 << 10];
    let (mut lines, mut is_empty) = (Vec::new(), true);
    loop {
        let read = list.read(&mut chunk).ok()?;
        is_empty &= read == 0;
        lines.extend_from_slice(&chunk[..read]);
        let whole = match lines.iter().rposition(|&byte| byte == b'\n') {
            Some(end) if read > 0 => end + 1,
            _ => lines.len(),
        };
        if lists(&lines[..whole], inode) {
            return Some(true);
        }
        if read == 0 {
            // A list without a line is one of a process that is about to end, or whose first thread has.
            return (!is_empty).then_some(false);
        }
        lines.drain(..whole);
        if Instant::now() >= until {
            return None;
        }
    }
}

/// Whether a file with this inode is in a list of mappings (`/proc/PID/maps`, proc(5)): lines of
/// `addresses permissions offset device inode path`.
fn lists(maps: &[u8], inode: u64) -> bool {
    let inode = inode.to_string();
    maps.split(|&byte| byte == b'\n').any(|line| {
        let mut fields = line.split(|&byte| byte == b' ').filter(|field| !field.is_empty());
        fields.nth(4) == Some(inode.as_bytes())
    })
}

impl<T: Shareable> Drop for Mapping<T> {
    fn drop(&mut self) {
        // SAFETY: `map` made this mapping, with this length, and no reference outlives `self`.
        // It cannot fail for a mapping that exists; there would be nothing to do about it.
        let _ = unsafe { munmap(self.0.cast(), T::LENGTH.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_file_is_found_by_its_inode() {
        let maps = b"7f00-7f01 r--p 00000000 fd:00 4711                       /lib/a b 99\n\
                     7f02-7f03 rw-s 00000000 00:19 12 /dev/shm/bus (deleted)\n\
                     7f04-7f05 rw-p 00000000 00:00 0 \n";
        assert!(lists(maps, 4711) && lists(maps, 12));
        assert!(!lists(maps, 99) && !lists(maps, 1) && !lists(b"", 0));
    }

    #[test]
    fn a_program_that_runs_on_has_not_been_left() {
        // Its own addresses may or may not be random: either way it runs on.
        assert!(!was_left_by_exec(4_194_303, 1), "what is not there does not tell");
    }
}
