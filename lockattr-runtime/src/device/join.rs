//! Taking what other programs respect, beside the device's own lock.

use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::conventions::{flock, lock_file, lock_file::LockFile};
use super::Node;
use crate::holder::Holder;
use crate::sys::generation::generation;

/// What an acquire is to take.
#[derive(Debug, Clone, Copy)]
pub struct Joins<'a> {
    pub(crate) descriptor: Option<BorrowedFd<'a>>,
    pub(crate) lock_file: bool,
}

impl<'a> Joins<'a> {
    /// Nothing.
    pub const NONE: Self = Self { descriptor: None, lock_file: false };

    /// Also a flock on this descriptor.
    #[must_use]
    pub fn descriptor(self, descriptor: &'a impl AsFd) -> Self {
        Self { descriptor: Some(descriptor.as_fd()), ..self }
    }

    /// Also the lock file.
    #[must_use]
    pub const fn lock_file(self) -> Self {
        Self { lock_file: true, ..self }
    }

    pub(crate) const fn is_none(self) -> bool {
        self.descriptor.is_none() && !self.lock_file
    }
}

/// The same, of one device, for as long as it takes.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) descriptor: Option<OwnedFd>,
    pub(super) lock_file: bool,
}

/// What has been taken, until this is dropped.
#[derive(Debug)]
pub(crate) struct Joined {
    /// Dropped first: it was taken last.
    lock_files: Vec<LockFile>,
    flock: Option<flock::Joined>,
    generation: u32,
}

/// Why nothing was taken.
pub(super) enum Refused {
    By(Box<Holder>),
    /// While doing this, as in "cannot …".
    Failed(&'static str, io::Error),
}

impl Wanted {
    pub(super) fn is_none(&self) -> bool {
        self.descriptor.is_none() && !self.lock_file
    }

    /// All of it, or nothing.
    pub(super) fn take(&self, path: &Path) -> Result<Joined, Refused> {
        let mut joined = Joined { lock_files: Vec::new(), flock: None, generation: generation() };
        if let Some(descriptor) = &self.descriptor {
            let taken = flock::Joined::take(descriptor)
                .map_err(|error| Refused::Failed("take a flock on the descriptor", error))?;
            // It was free a moment ago, so who has it now is seen by the next look.
            joined.flock = Some(taken.ok_or_else(|| Refused::By(Box::new(flock::unseen(path))))?);
        }
        if self.lock_file {
            joined.lock_files = lock_file::take(path)
                .map_err(|error| Refused::Failed("make the device's lock file", error))?
                .map_err(Refused::By)?;
        }
        Ok(joined)
    }
}

/// A descriptor's copy, if it is of that device.
pub(super) fn copy_of(descriptor: BorrowedFd<'_>, node: &Node) -> io::Result<Option<OwnedFd>> {
    let copy = descriptor.try_clone_to_owned()?;
    let is_of_it = Node::of_descriptor(&copy)?.is_same_device(node);
    Ok(is_of_it.then_some(copy))
}

impl Drop for Joined {
    fn drop(&mut self) {
        // A forked child has not taken what its parent has.
        if self.generation != generation() {
            mem::forget(mem::take(&mut self.lock_files));
            mem::forget(self.flock.take());
        }
    }
}
