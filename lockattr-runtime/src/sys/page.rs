//! A page of memory that processes share.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{mmap, munmap, MapFlags, ProtFlags};

/// The size of a lock's record, whatever the machine's page size is.
pub(crate) const PAGE_BYTES: usize = 4096;
pub(crate) const PAGE_WORDS: usize = PAGE_BYTES / size_of_word();

const fn size_of_word() -> usize {
    std::mem::size_of::<AtomicU64>()
}

/// A page as 64-bit words. Other processes change them at any time, so they are atomics.
pub(crate) type Words = [AtomicU64; PAGE_WORDS];

/// The first page of a file, mapped to be read and written.
#[derive(Debug)]
pub(crate) struct SharedPage(NonNull<Words>);

// SAFETY: the mapping belongs to this value until it is dropped, and is only reached as atomics.
unsafe impl Send for SharedPage {}
// SAFETY: as above.
unsafe impl Sync for SharedPage {}

impl SharedPage {
    /// Maps the first [`PAGE_BYTES`] of `file`, which must have as many: a touch of what lies beyond
    /// a file's end is a SIGBUS (mmap(2)).
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        const LENGTH: NonZeroUsize = match NonZeroUsize::new(PAGE_BYTES) {
            Some(length) => length,
            None => unreachable!(),
        };
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of this
        // program.
        let base = unsafe {
            mmap(
                None,
                LENGTH,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                MapFlags::MAP_SHARED,
                file,
                0,
            )?
        };
        Ok(Self(base.cast()))
    }

    pub(crate) fn words(&self) -> &Words {
        // SAFETY: the mapping has PAGE_BYTES bytes, is aligned to a page, and lives as long as
        // `self`; any bytes are valid words, and atomics may change under a shared reference.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for SharedPage {
    fn drop(&mut self) {
        // SAFETY: `map` made this mapping, with this length, and no reference outlives `self`.
        // It cannot fail for a mapping that exists; there would be nothing to do about it.
        let _ = unsafe { munmap(self.0.cast(), PAGE_BYTES) };
    }
}
