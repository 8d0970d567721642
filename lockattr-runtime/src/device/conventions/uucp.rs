//! Lock files as UUCP made them, and minicom does: `/var/lock/LCK..ttyUSB0`, with the pid of the program that
//! has the device, in ten columns.
//!
//! Such a file outlives a program that is killed. It is stale if no process has its pid: nothing else proves it, as
//! clocks jump on boards. That takes the folder's programs for those of this pid namespace, so one on a file
//! system that is shared between machines is never stale. Stale files count for nothing, and are left alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::sys::statfs::fstatfs;

use crate::holder::{Holder, KnownBy};
use crate::sys::process;
use crate::text::Escaped;

/// Where they are. One is mostly a link to the other.
const FOLDERS: [&str; 2] = ["/var/lock", "/run/lock"];

/// Whose lock files there are for the device at the end of `path`, but this process's own and stale ones.
pub(super) fn holders(path: &Path) -> Vec<Holder> {
    files(path).into_iter().filter_map(|file| standing(&file).holder(&file)).collect()
}

/// The files that would lock the device, in all folders that there are.
fn files(path: &Path) -> Vec<PathBuf> {
    let names = names(path);
    let folders = folders();
    let files = folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    files.collect()
}

/// Those that exist, each once.
pub(super) fn folders() -> Vec<PathBuf> {
    let mut seen = Vec::new();
    let mut folders = Vec::new();
    for folder in FOLDERS {
        let Ok(status) = fs::metadata(folder) else { continue };
        let identity = (status.dev(), status.ino());
        if status.is_dir() && !seen.contains(&identity) {
            seen.push(identity);
            folders.push(PathBuf::from(folder));
        }
    }
    folders
}

/// What they are called: by the path as it was given, and by that of the node which it leads to.
///
/// Below `/dev` it is all of the path, with `_` for `/`; minicom leaves out `serial/by-id/`, too. Elsewhere it is
/// the last part.
pub(super) fn names(path: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    let mut add = |name: &[u8]| {
        let name = [b"LCK..", name].concat().into_iter();
        let name: Vec<u8> = name.map(|byte| if byte == b'/' { b'_' } else { byte }).collect();
        let name = PathBuf::from(std::ffi::OsStr::from_bytes(&name));
        if !names.contains(&name) {
            names.push(name);
        }
    };
    let node = fs::canonicalize(path).ok();
    for path in [Some(path), node.as_deref()].into_iter().flatten() {
        let last = path.file_name().unwrap_or_default().as_bytes();
        match path.strip_prefix("/dev") {
            Ok(below) => add(below.as_os_str().as_bytes()),
            Err(_) => add(last),
        }
        if path.starts_with("/dev/serial") {
            add(last);
        }
    }
    names
}

/// What a lock file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is none, or it says nothing.
    Free,
    /// A live process has it.
    Of(u32),
    /// It is this process's own, or that of an earlier one with the same pid.
    Own,
    /// No process has its pid.
    Stale,
    /// Nobody can tell whose it is: why.
    Unclear(String),
}

impl Standing {
    pub(super) fn holder(self, file: &Path) -> Option<Holder> {
        let (pid, why) = match self {
            Self::Free | Self::Own | Self::Stale => return None,
            Self::Of(pid) => (Some(pid), String::new()),
            Self::Unclear(why) => (None, format!(" ({why})")),
        };
        let info = Some(format!("the lock file {}{why}", file.display()));
        Some(Holder { info, ..Holder::process(pid, KnownBy::LockFile) })
    }
}

/// The holder of a file that nobody has looked into.
pub(super) fn unseen(file: &Path) -> Holder {
    let info = Some(format!("the lock file {}", file.display()));
    Holder { info, ..Holder::process(None, KnownBy::LockFile) }
}

pub(super) fn standing(path: &Path) -> Standing {
    match read(path) {
        Ok((file, content)) => judge(&content, &file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Standing::Free,
        Err(error) => Standing::Unclear(format!("it cannot be read: {error}")),
    }
}

/// The beginning of a lock file.
fn read(path: &Path) -> io::Result<(File, Vec<u8>)> {
    const ENOUGH: u64 = 128;

    let mut options = OpenOptions::new();
    // O_NONBLOCK: no pipe in the file's place is waited for.
    let file = options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no regular file"));
    }
    let mut content = Vec::new();
    (&file).take(ENOUGH).read_to_end(&mut content)?;
    Ok((file, content))
}

fn judge(content: &[u8], file: &File) -> Standing {
    let Some(pid) = pid(content) else {
        let text = String::from_utf8_lossy(content);
        return Standing::Unclear(match text.trim() {
            "" => "it is empty".to_owned(),
            text => format!("it has no pid, but \"{}\"", Escaped(text)),
        });
    };
    if is_shared_between_machines(file) {
        return Standing::Unclear(format!("of pid {pid} on a machine that it does not tell"));
    }
    if pid == std::process::id() {
        Standing::Own
    } else if process::runs(pid) {
        Standing::Of(pid)
    } else {
        Standing::Stale
    }
}

/// In columns of text, or, as some programs of old have it, the four bytes of a number.
fn pid(content: &[u8]) -> Option<u32> {
    let text =
        std::str::from_utf8(content).ok().and_then(|text| text.split_ascii_whitespace().next());
    let written = text.and_then(|word| word.parse::<i32>().ok());
    let binary = || Some(i32::from_ne_bytes(content.try_into().ok()?));
    written.or_else(binary).and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0)
}

/// Whether pids in a file may be another machine's.
fn is_shared_between_machines(file: &File) -> bool {
    /// The numbers of NFS, SMB, 9P, AFS, Ceph and FUSE (statfs(2), and the kernel's `magic.h`).
    const REMOTE: [u32; 8] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x0102_1997,
        0x5346_414f,
        0x00c3_6400,
        0x6573_5546,
    ];

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the C types differ
    fstatfs(file).is_ok_and(|status| REMOTE.contains(&(status.filesystem_type().0 as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_stands_in_columns_or_in_four_bytes() {
        assert_eq!(pid(b"       812\n"), Some(812));
        assert_eq!(pid(b"       812 minicom root\n"), Some(812));
        assert_eq!(pid(b"812"), Some(812));
        assert_eq!(pid(&70_000_u32.to_ne_bytes()), Some(70_000));
        for none in ["", "\n", "         0\n", "        -1\n", "minicom 812", "99999999999", "0"] {
            assert_eq!(pid(none.as_bytes()), None, "{none:?}");
        }
    }

    #[test]
    fn a_file_is_called_as_each_program_calls_it() {
        let names = |path: &str| -> Vec<String> {
            let names = names(Path::new(path));
            names.into_iter().map(|name| name.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("/dev/ttyUSB77"), ["LCK..ttyUSB77"]);
        assert_eq!(names("/dev/pts/4077"), ["LCK..pts_4077"]);
        assert_eq!(names("/tmp/none/vmodem"), ["LCK..vmodem"]);
        assert_eq!(names("/dev/serial/by-id/usb-x"), ["LCK..serial_by-id_usb-x", "LCK..usb-x"]);
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("gps");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert_eq!(names(link.to_str().unwrap()), ["LCK..gps", "LCK..null"]);
    }

    #[test]
    fn only_a_dead_pid_makes_a_file_stale() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LCK..x");
        let of = |content: &str| {
            fs::write(&path, content).unwrap();
            standing(&path)
        };
        assert_eq!(standing(&path), Standing::Free);
        assert_eq!(of(&format!("{:10}\n", std::process::id())), Standing::Own);
        assert_eq!(of("         1\n"), Standing::Of(1));
        assert_eq!(of("   4194303\n"), Standing::Stale);
        for unclear in ["", "         0\n", "engineering\n"] {
            assert!(matches!(of(unclear), Standing::Unclear(_)), "{unclear:?}");
        }
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(standing(&path), Standing::Unclear(why) if why.contains("no regular")));
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&path, &path).unwrap();
        assert!(
            matches!(standing(&path), Standing::Unclear(why) if why.contains("cannot be read"))
        );
    }
}
