//! The files of records: one per lock and user, written by that user alone and read by anybody.
//!
//! One file for all users would need to be writable by all, and in a folder like `/dev/shm` the
//! kernel refuses even root to open another user's file with `O_CREAT` (`fs.protected_regular`,
//! `proc_sys_fs(5)`). So each user has a file, and the kernel says whose holds.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::libc;

use crate::name::digest;
use crate::sys::mapping::{SharedPage, Words, PAGE_BYTES};
use crate::sys::{self, clock};

/// Where POSIX shared memory lives on Linux (`shm_overview(7)`); elsewhere, where any user may have files.
pub(crate) const FOLDER: &str =
    if cfg!(any(target_os = "linux", target_os = "android")) { "/dev/shm" } else { "/tmp" };

/// All that lies there, records and others.
pub(super) fn all() -> io::Result<fs::ReadDir> {
    fs::read_dir(FOLDER)
}

/// The mode of a record: everybody may see who holds.
const MODE: u32 = 0o644;

/// This user's record of a lock, mapped to be written.
///
/// No descriptor is kept: a program may use many locks.
#[derive(Debug)]
pub(crate) struct SharedFile {
    path: PathBuf,
    /// The user it belongs to, and which file it is.
    uid: u32,
    device: u64,
    inode: u64,
    page: SharedPage,
    /// When the file was found whole.
    checked: AtomicU64,
}

/// Nanoseconds between two looks at the file.
const CHECKED: u64 = 10_000_000;

impl SharedFile {
    /// Opens the record of `name` as `uid`, this process's user, and makes it if there is none.
    pub(super) fn open(name: &str, uid: u32) -> io::Result<Self> {
        let path = path(name, uid);
        let file = open_own(&path, uid)?;
        sys::file::reserve(&file, PAGE_BYTES)?;
        // By std here and below: `fstat` and `lstat` of a program of 32 bits refuse large files, and those of a time
        // beyond 2038.
        let status = file.metadata()?;
        // The umask has masked the mode, or somebody died before this line.
        if status.mode() & 0o777 != MODE {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok(Self {
            page: SharedPage::map(&file)?,
            path,
            uid,
            device: status.dev(),
            inode: status.ino(),
            checked: clock::monotonic().into(),
        })
    }

    /// Whether it is the record of `uid`.
    pub(super) fn is_of(&self, uid: u32) -> bool {
        self.uid == uid
    }

    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    pub(super) fn inode(&self) -> u64 {
        self.inode
    }

    /// Whether the file still has its name and all its bytes, at `now` of the monotonic clock. (To touch
    /// what was cut off is a SIGBUS. Only this user can cut it: this is against accidents, as a cleaner of
    /// `/dev/shm`, and so one look in [`CHECKED`] is enough.)
    pub(super) fn is_whole(&self, now: u64) -> bool {
        if now.saturating_sub(self.checked.load(Ordering::Relaxed)) < CHECKED {
            return true;
        }
        let is_whole = fs::symlink_metadata(&self.path).is_ok_and(|file| {
            (file.dev(), file.ino()) == (self.device, self.inode) && file.len() >= PAGE_BYTES as u64
        });
        // A look that failed is not kept: nothing is written after it.
        if is_whole {
            self.checked.store(now, Ordering::Relaxed);
        }
        is_whole
    }

    pub(super) fn words(&self) -> &Words {
        self.page.get()
    }
}

/// This user's file. Any user can put another file in its place, so that this user has no record and
/// hears of no death: root removes that.
fn open_own(path: &Path, uid: u32) -> io::Result<File> {
    const ATTEMPTS: usize = 8; // against one who puts it there again and again

    let mut attempts = 0;
    loop {
        let opened = open_or_create(path).and_then(|file| check(&file, uid).map(|()| file));
        attempts += 1;
        match opened {
            Err(_) if uid == 0 && attempts < ATTEMPTS && remove_alien(path) => {}
            opened => return opened,
        }
    }
}

/// Removes what another user than root has put at `path`; whether there was such a thing, and it is gone.
fn remove_alien(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.uid() != 0) && {
        let is_removed = fs::remove_file(path).or_else(|_| fs::remove_dir(path)).is_ok();
        is_removed || fs::symlink_metadata(path).is_err()
    }
}

/// Opens without `O_CREAT` first, and then with `O_EXCL`: never is another one's file taken for a new
/// one. Two processes of this user may be here at once; the later one finds the earlier one's file.
fn open_or_create(path: &Path) -> io::Result<File> {
    loop {
        match open(path, true) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created,
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    options(true).create_new(true).mode(MODE).open(path)
}

/// Opens the record of `name` that the user `uid` writes, to read it.
pub(super) fn open_readable(name: &str, uid: u32) -> io::Result<File> {
    let file = open(&path(name, uid), false)?;
    check(&file, uid)?;
    Ok(file)
}

fn open(path: &Path, write: bool) -> io::Result<File> {
    options(write).open(path)
}

fn options(write: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    // O_NOFOLLOW: no link is followed; O_NONBLOCK: no pipe in the file's place is waited for.
    options.read(true).write(write).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

/// Whether the file is what its name says: a plain file that `uid` owns and nobody else may write.
fn check(file: &File, uid: u32) -> io::Result<()> {
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.uid() == uid && metadata.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the record's file is not this user's own, or others may write it",
        ))
    }
}

/// Removes the record of `name` that the user `uid` writes, if that may be.
pub(super) fn remove(name: &str, uid: u32) {
    let _ = fs::remove_file(path(name, uid));
}

fn path(name: &str, uid: u32) -> PathBuf {
    let mut path = format!("{FOLDER}/{PREFIX}{uid}.");
    path.push_str(&encoded(name));
    path.into()
}

const PREFIX: &str = "lockattr.";

/// The user whose record a file of this name would be, of the lock whose name is [`encoded`] so.
pub(super) fn uid_in(file_name: &OsStr, encoded: &str) -> Option<u32> {
    let (uid, rest) = parts(file_name)?;
    (rest == encoded).then_some(uid)
}

/// The user whose record a file of this name would be, and the lock's name as it is [`encoded`].
pub(super) fn parts(file_name: &OsStr) -> Option<(u32, &str)> {
    let file_name = std::str::from_utf8(file_name.as_bytes()).ok()?;
    let (uid, rest) = file_name.strip_prefix(PREFIX)?.split_once('.')?;
    Some((uid.parse().ok()?, rest))
}

/// Opens the record of this file name, which the user `uid` writes, to read it.
pub(super) fn open_named(file_name: &OsStr, uid: u32) -> io::Result<File> {
    let file = open(&Path::new(FOLDER).join(file_name), false)?;
    check(&file, uid)?;
    Ok(file)
}

/// A lock's name as a part of a file's name: what is no letter, digit, `-`, `_` or `.` is written
/// as `%` and two digits, and a name too long for a file is cut and ends with its digest. (The
/// record itself holds the whole name.)
pub(super) fn encoded(name: &str) -> String {
    const LIMIT: usize = 200; // a file's name has at most 255 bytes (NAME_MAX)

    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02x}"); // to a String: never fails
        }
    }
    if encoded.len() > LIMIT {
        encoded.truncate(LIMIT); // all of it is ASCII
        let _ = write!(encoded, "~{:016x}", digest(name));
    }
    encoded
}

#[cfg(test)]
mod tests;
