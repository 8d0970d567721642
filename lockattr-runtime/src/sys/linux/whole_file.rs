//! Files that are whole when they get their names: other processes find all of one or nothing, and what dies
//! before leaves nothing behind.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{AtFlags, AT_FDCWD};
use nix::libc;
use nix::unistd::linkat;

use crate::sys::file::may_grow;

/// Makes the file `path` with this `mode`, whatever the umask, and this `content`. It is open for both reading and
/// writing.
///
/// # Errors
/// `AlreadyExists` if there is one, and what the system says.
pub(crate) fn create(path: &Path, mode: u32, content: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(mode).custom_flags(libc::O_TMPFILE);
    let file = match options.open(folder(path)) {
        // The file system knows no files without a name (open(2)), or the kernel.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR)) => {
            return create_by_another_name(path, mode, content);
        }
        opened => filled(opened?, mode, content)?,
    };
    let by_proc = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(AT_FDCWD, by_proc.as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW) {
        // No `/proc`. By the descriptor alone it takes Linux 6.10 or `CAP_DAC_READ_SEARCH`, and else is
        // refused in the same words (open(2), `AT_EMPTY_PATH`).
        Err(nix::Error::ENOENT) => {
            match linkat(&file, "", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH) {
                Err(nix::Error::ENOENT) => create_by_another_name(path, mode, content),
                linked => Ok(linked.map(|()| file)?),
            }
        }
        linked => Ok(linked.map(|()| file)?),
    }
}

/// As [`create`], where a file must have a name before. What dies in between leaves one of that name.
fn create_by_another_name(path: &Path, mode: u32, content: &[u8]) -> io::Result<File> {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);

    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    // It is no lock's: a record's name has the number of a user there, and a lock file begins otherwise.
    let other = folder(path).join(format!("lockattr.new.{}.{number}", std::process::id()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    let linked = filled(options.open(&other)?, mode, content)
        .and_then(|file| fs::hard_link(&other, path).map(|()| file));
    fs::remove_file(&other)?;
    linked
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn filled(mut file: File, mode: u32, content: &[u8]) -> io::Result<File> {
    file.set_permissions(Permissions::from_mode(mode))?; // the umask has masked it
    may_grow(&file, content.len())?;
    file.write_all(content)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_file_is_whole_and_made_once() {
        for create in [create, create_by_another_name] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x");
            create(&path, 0o646, b"whole").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o646);
            let kind = create(&path, 0o646, b"other").unwrap_err().kind();
            assert_eq!(kind, io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
