//! Memory that processes share.

use std::fs::File;
use std::io;
use std::mem::size_of;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{mmap, munmap, MapFlags, ProtFlags};

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

impl<T: Shareable> Drop for Mapping<T> {
    fn drop(&mut self) {
        // SAFETY: `map` made this mapping, with this length, and no reference outlives `self`.
        // It cannot fail for a mapping that exists; there would be nothing to do about it.
        let _ = unsafe { munmap(self.0.cast(), T::LENGTH.get()) };
    }
}
