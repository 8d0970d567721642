//! The two files of a lock: `/dev/shm/sem.NAME`, the semaphore (`sem_overview(7)`), and
//! `/dev/shm/NAME`, the shared-memory object with the record (`shm_overview(7)`).
//!
//! They are opened without `O_CREAT` first: in a folder like `/dev/shm` the kernel refuses that for
//! another user's file, even to root (`fs.protected_regular`, `proc_sys_fs(5)`). A new one is made
//! without a name (`O_TMPFILE`), and gets its name when it is whole and its mode is right: so
//! processes that start at the same moment find one and the same file, and never half of one. They
//! are removed by a holder alone (`unlink`): who unlinks a lock that is in use makes two of it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::libc;

use super::trust;
use super::turnstile::Stalled;
use crate::backend::queue::Queue;
use crate::backend::Failure;
use crate::record::owner::Owner;
use crate::record::{OwnedPage, FOLDER};
use crate::sys::mapping::PAGE_BYTES;
use crate::sys::process::effective_uid;
use crate::sys::semaphore::{self, Semaphore};
use crate::sys::SEMAPHORE_BYTES;
use crate::sys::{self, clock, whole_file};

/// The files' names.
#[derive(Debug)]
pub(super) struct Paths {
    name: Box<str>,
    semaphore: PathBuf,
    page: PathBuf,
}

impl Paths {
    pub(super) fn new(name: &str) -> Self {
        let folder = Path::new(FOLDER);
        Self {
            name: name.into(),
            semaphore: folder.join(format!("sem.{name}")),
            page: folder.join(name),
        }
    }

    /// The semaphore, to be looked at.
    pub(super) fn open_semaphore(&self) -> Result<File, Failure> {
        let file = open(&self.semaphore, false)?;
        check_semaphore(&file, &self.semaphore)?;
        Ok(file)
    }

    /// The semaphore has so many units that it is none of a lock's.
    pub(super) fn overposted(&self, units: u32) -> Failure {
        Failure::Overposted { path: self.semaphore.clone(), units }
    }

    /// The record, to be looked at.
    pub(super) fn open_page(&self) -> Result<File, Failure> {
        open(&self.page, false)
    }
}

/// A lock's semaphore and record, mapped. No descriptor is kept: a program may use many locks.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) semaphore: Semaphore,
    pub(super) page: OwnedPage,
    /// Where those queue that wait. Boxed: what every acquire touches lies close together.
    pub(super) queue: Box<Queue>,
    /// See [`Turnstile`](super::turnstile::Turnstile).
    pub(super) stalled: Stalled,
    paths: Arc<Paths>,
    /// Which files they are.
    semaphore_file: Identity,
    page_file: Identity,
    /// When they were found whole.
    checked: AtomicU64,
}

/// What is left of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Both,
    /// The semaphore was cut: a touch of it may be a SIGBUS.
    Record,
    /// The record was cut, and its memory cannot be had again.
    Semaphore,
}

/// Nanoseconds between two looks at the files.
const CHECKED: u64 = 10_000_000;

impl Objects {
    /// Opens them, and makes those that are not there. An owner word in what is no record yet stands
    /// if it `can_be` one.
    ///
    /// # Errors
    /// Also where they are another user's, with whom a lock of this `mode` is not shared.
    pub(super) fn open(
        paths: &Arc<Paths>,
        mode: u32,
        can_be: impl Fn(Owner) -> bool,
    ) -> Result<Self, Failure> {
        let semaphore = open_or_create(&paths.semaphore, mode, &semaphore::new_bytes())?;
        trust::check(&metadata(&semaphore)?, &paths.semaphore, mode)?;
        check_semaphore(&semaphore, &paths.semaphore)?;
        reserve(&semaphore, SEMAPHORE_BYTES)?;
        let file = open_or_create(&paths.page, mode, &[0; PAGE_BYTES])?;
        trust::check(&metadata(&file)?, &paths.page, mode)?;
        let had = enlarge(&file)?;
        let map = |error| Failure::io("map the lock's shared memory")(error);
        let page = OwnedPage::map(&file, can_be).map_err(map)?;
        if had < PAGE_BYTES {
            page.limit_text(had);
        }
        let page_file = Identity::of(&file)?;
        Ok(Self {
            paths: Arc::clone(paths),
            semaphore_file: Identity::of(&semaphore)?,
            queue: Box::new(Queue::of_semaphore(&paths.name, page_file.inode)),
            stalled: Stalled::default(),
            page_file,
            semaphore: Semaphore::map(&semaphore).map_err(map)?,
            page,
            checked: clock::monotonic().into(),
        })
    }

    /// Which file the semaphore is in, whatever has become of its name.
    pub(super) fn semaphore_inode(&self) -> u64 {
        self.semaphore_file.inode
    }

    /// Whether the semaphore's file still has its name. Where it has not, the next look finds so as well.
    pub(super) fn semaphore_is_named(&self) -> bool {
        let is_named = self.semaphore_file.size_at(&self.paths.semaphore).is_some();
        if !is_named {
            self.doubt();
        }
        is_named
    }

    /// Whether both files still have their names and all their bytes, at `now` of the monotonic clock.
    ///
    /// (What has lost its name excludes nobody who comes later, and a touch of what was cut off is a
    /// SIGBUS. Only a user who shares the lock can do that: this is against accidents, as systemd-logind's
    /// `RemoveIPC=yes` or a cleaner of `/dev/shm`. So one look in [`CHECKED`] is enough, and all
    /// acquires in between do without a system call.)
    pub(super) fn are_whole(&self, now: u64) -> bool {
        now.saturating_sub(self.checked.load(Ordering::Relaxed)) < CHECKED || self.look(now)
    }

    /// Looks, and keeps that all is well. A look that failed is not kept, so the next caller looks again.
    fn look(&self, now: u64) -> bool {
        let are_whole = self.semaphore_file.size_at(&self.paths.semaphore) == Some(SEMAPHORE_BYTES)
            && self.page_file.size_at(&self.paths.page).is_some_and(|size| size >= PAGE_BYTES);
        if are_whole {
            self.checked.store(now, Ordering::Relaxed);
            effective_uid(); // for the records of those acquires
        }
        are_whole
    }

    /// Removes their names, if they still have them. The semaphore's goes first: a record without it is
    /// inherited in order, while a semaphore without the record of a dead owner is nobody's.
    pub(super) fn unlink(&self) {
        for (file, path) in
            [(&self.semaphore_file, &self.paths.semaphore), (&self.page_file, &self.paths.page)]
        {
            if file.size_at(path).is_some() {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// The next look at them is a real one.
    pub(super) fn doubt(&self) {
        self.checked.store(0, Ordering::Relaxed);
    }

    /// What a holder can still write to, at `now` of the coarse clock. A record that was cut gets its memory again.
    /// Files that have only lost their names are as good as ever to the processes that have them mapped.
    ///
    /// One look in a tick of that clock is enough. It may be two ticks behind the other clock, so an age by it would
    /// come out too small.
    pub(super) fn left(&self, now: u64) -> Left {
        if now <= self.checked.load(Ordering::Relaxed) || self.look(now) {
            return Left::Both;
        }
        let is_cut = |size: Option<usize>, bytes| size.is_some_and(|size| size < bytes);
        if is_cut(self.semaphore_file.size_at(&self.paths.semaphore), SEMAPHORE_BYTES) {
            return Left::Record;
        }
        let is_cut = is_cut(self.page_file.size_at(&self.paths.page), PAGE_BYTES);
        if is_cut && !self.mend_page() {
            return Left::Semaphore;
        }
        Left::Both
    }

    fn mend_page(&self) -> bool {
        let mend = || {
            let file = open(&self.paths.page, true).ok()?;
            let is_it = Identity::of(&file).ok()? == self.page_file;
            is_it.then(|| reserve(&file, PAGE_BYTES).ok())?
        };
        mend().is_some()
    }
}

/// Which file it is.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(file: &File) -> Result<Self, Failure> {
        let metadata = metadata(file)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// How many bytes it has; none if it is not the one at `path`.
    fn size_at(&self, path: &Path) -> Option<usize> {
        // By std: `lstat` of a program of 32 bits refuses large files, and those of a time beyond 2038.
        let file = fs::symlink_metadata(path).ok()?;
        let found = Self { device: file.dev(), inode: file.ino() };
        (found == *self).then(|| usize::try_from(file.len()).unwrap_or(usize::MAX))
    }
}

fn open_or_create(path: &Path, mode: u32, content: &[u8]) -> Result<File, Failure> {
    loop {
        match open(path, true) {
            Err(Failure::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match whole_file::create(path, mode, content) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map_err(Failure::io("make the lock in /dev/shm")),
        }
    }
}

fn open(path: &Path, write: bool) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    // O_NOFOLLOW: no link is followed; O_NONBLOCK: no pipe in the file's place is waited for.
    options.read(true).write(write).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path).map_err(|error| match (error.kind(), fs::symlink_metadata(path)) {
        (io::ErrorKind::PermissionDenied, Ok(metadata)) => Failure::Denied {
            path: path.to_owned(),
            uid: metadata.uid(),
            mode: metadata.mode() & 0o7777,
        },
        _ => Failure::io("open the lock in /dev/shm")(error),
    })
}

fn check_semaphore(file: &File, path: &Path) -> Result<(), Failure> {
    /// `sizeof(sem_t)` of 32-bit and 64-bit programs, glibc and musl alike.
    const SIZES: [u64; 2] = [16, 32];

    let metadata = metadata(file)?;
    let (path, bytes) = (path.to_owned(), metadata.len());
    match metadata.is_file() {
        true if bytes == SEMAPHORE_BYTES as u64 => Ok(()),
        true if SIZES.contains(&bytes) => Err(Failure::OtherWordSize { path, bytes }),
        _ => Err(Failure::Damaged { path, bytes }),
    }
}

/// In memory that is there, as a sparse file's is not.
fn reserve(file: &File, bytes: usize) -> Result<(), Failure> {
    sys::file::reserve(file, bytes).map_err(Failure::io("reserve the lock's shared memory"))
}

/// Gives the record's file a whole page. How many bytes it had.
fn enlarge(file: &File) -> Result<usize, Failure> {
    // resourcelock makes an object and gives it its size later: for the moment between.
    const MOMENTS: u32 = 10;
    const MOMENT: Duration = Duration::from_millis(1);

    let mut metadata = self::metadata(file)?;
    for _ in 0..MOMENTS {
        if metadata.len() > 0 {
            break;
        }
        thread::sleep(MOMENT);
        metadata = self::metadata(file)?;
    }
    reserve(file, PAGE_BYTES)?;
    Ok(match metadata.len() {
        0 => PAGE_BYTES, // nobody can have mapped it
        bytes => usize::try_from(bytes).unwrap_or(PAGE_BYTES).min(PAGE_BYTES),
    })
}

fn metadata(file: &File) -> Result<fs::Metadata, Failure> {
    file.metadata().map_err(Failure::io("look at the lock in /dev/shm"))
}

#[cfg(test)]
pub(super) mod tests;
