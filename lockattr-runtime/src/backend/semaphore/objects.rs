//! The two files of a lock: `/dev/shm/sem.NAME`, the semaphore (`sem_overview(7)`), and
//! `/dev/shm/NAME`, the shared-memory object with the record (`shm_overview(7)`).
//!
//! They are opened without `O_CREAT` first: in a folder like `/dev/shm` the kernel refuses that for
//! another user's file, even to root (`fs.protected_regular`, `proc_sys_fs(5)`). A new one is made
//! without a name (`O_TMPFILE`), and gets its name when it is whole and its mode is right: so
//! processes that start at the same moment find one and the same file, and never half of one. They
//! are never removed: who unlinks a lock that is in use makes two of it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nix::fcntl::{AtFlags, AT_FDCWD};
use nix::libc;
use nix::sys::stat::lstat;
use nix::unistd::linkat;

use crate::backend::Failure;
use crate::record::owner::Owner;
use crate::record::{OwnedPage, FOLDER};
use crate::sys::clock;
use crate::sys::file::{may_grow, reserve};
use crate::sys::mapping::PAGE_BYTES;
use crate::sys::semaphore::{self, Semaphore, SEMAPHORE_BYTES};

/// The files' names.
#[derive(Debug)]
pub(super) struct Paths {
    semaphore: PathBuf,
    page: PathBuf,
}

impl Paths {
    pub(super) fn new(name: &str) -> Self {
        let folder = Path::new(FOLDER);
        Self { semaphore: folder.join(format!("sem.{name}")), page: folder.join(name) }
    }

    /// The semaphore, to be looked at.
    pub(super) fn open_semaphore(&self) -> Result<File, Failure> {
        let file = open(&self.semaphore, false)?;
        check_semaphore(&file, &self.semaphore)?;
        Ok(file)
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
    files: [Identity; 2],
    /// When they were found whole.
    checked: AtomicU64,
}

/// Nanoseconds between two looks at the files.
const CHECKED: u64 = 10_000_000;

impl Objects {
    /// Opens them, and makes those that are not there. An owner word in what is no record yet stands
    /// if it `can_be` one.
    pub(super) fn open(
        paths: &Paths,
        mode: u32,
        can_be: impl FnOnce(Owner) -> bool,
    ) -> Result<Self, Failure> {
        let semaphore = open_or_create(&paths.semaphore, mode, &semaphore::new_bytes())?;
        check_semaphore(&semaphore, &paths.semaphore)?;
        let file = open_or_create(&paths.page, mode, &[0; PAGE_BYTES])?;
        let had = enlarge(&file)?;
        let map = |error| Failure::io("map the lock's shared memory")(error);
        let page = OwnedPage::map(&file, can_be).map_err(map)?;
        if had < PAGE_BYTES {
            page.limit_text(had);
        }
        Ok(Self {
            files: [Identity::of(&semaphore, SEMAPHORE_BYTES)?, Identity::of(&file, PAGE_BYTES)?],
            semaphore: Semaphore::map(&semaphore).map_err(map)?,
            page,
            checked: clock::monotonic().into(),
        })
    }

    /// Whether both files still have their names and all their bytes, at `now` of the monotonic clock.
    ///
    /// (What has lost its name excludes nobody who comes later, and a touch of what was cut off is a
    /// SIGBUS. Only who may use the lock can do that: this is against accidents, as systemd-logind's
    /// `RemoveIPC=yes` or a cleaner of `/dev/shm`. So one look in [`CHECKED`] is enough, and all
    /// acquires in between do without a system call.)
    pub(super) fn are_whole(&self, paths: &Paths, now: u64) -> bool {
        if now.saturating_sub(self.checked.load(Ordering::Relaxed)) < CHECKED {
            return true;
        }
        self.checked.store(now, Ordering::Relaxed);
        self.files[0].is_at(&paths.semaphore) && self.files[1].is_at(&paths.page)
    }
}

/// Which file it is, and how many bytes of it are in use.
#[derive(Debug)]
struct Identity {
    device: u64,
    inode: u64,
    bytes: usize,
}

impl Identity {
    fn of(file: &File, bytes: usize) -> Result<Self, Failure> {
        let metadata = metadata(file)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), bytes })
    }

    fn is_at(&self, path: &Path) -> bool {
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion)] // the C types differ
        lstat(path).is_ok_and(|file| {
            (file.st_dev as u64, u64::from(file.st_ino)) == (self.device, self.inode)
                && usize::try_from(file.st_size).is_ok_and(|size| size >= self.bytes)
        })
    }
}

fn open_or_create(path: &Path, mode: u32, content: &[u8]) -> Result<File, Failure> {
    loop {
        match open(path, true) {
            Err(Failure::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match create(path, mode, content) {
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

/// Makes a file that is whole when it gets its name. What dies before leaves nothing behind.
fn create(path: &Path, mode: u32, content: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(mode).custom_flags(libc::O_TMPFILE);
    let mut file = options.open(FOLDER)?;
    file.set_permissions(Permissions::from_mode(mode))?; // the umask has masked it
    may_grow(&file, content.len())?;
    file.write_all(content)?;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(
        AT_FDCWD,
        OsStr::from_bytes(unnamed.as_bytes()),
        AT_FDCWD,
        path,
        AtFlags::AT_SYMLINK_FOLLOW,
    )?;
    Ok(file)
}

fn check_semaphore(file: &File, path: &Path) -> Result<(), Failure> {
    let metadata = metadata(file)?;
    if metadata.is_file() && metadata.len() >= SEMAPHORE_BYTES as u64 {
        return Ok(());
    }
    Err(Failure::Damaged { path: path.to_owned(), bytes: metadata.len() })
}

/// Gives the record's file a whole page, in memory that is there: a touch of a page that a full tmpfs
/// cannot give is a SIGBUS. It changes no byte, and no longer file is cut. How many bytes it had.
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
    reserve(file, PAGE_BYTES).map_err(Failure::io("reserve the lock's shared memory"))?;
    Ok(match metadata.len() {
        0 => PAGE_BYTES, // nobody can have mapped it
        bytes => usize::try_from(bytes).unwrap_or(PAGE_BYTES).min(PAGE_BYTES),
    })
}

fn metadata(file: &File) -> Result<fs::Metadata, Failure> {
    file.metadata().map_err(Failure::io("look at the lock in /dev/shm"))
}
