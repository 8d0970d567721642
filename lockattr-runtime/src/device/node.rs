//! Which device a path leads to.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use nix::libc;

/// What is found at the end of a path (stat(2)). It displays as the name of its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    identity: Identity,
    /// Which file it is: flock(2) knows files, and no devices.
    pub(super) file: FileId,
}

/// What one lock stands for, whatever nodes and paths there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// A device's numbers.
    Character(u64),
    Block(u64),
    /// Any other file.
    File(FileId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    file_system: u64,
    inode: u64,
}

impl Node {
    /// What `path` leads to, links and all.
    ///
    /// # Errors
    /// Also for a relative path, which would be another one after a `chdir`, and for a folder.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        if !path.is_absolute() {
            let message = "the path is not absolute; write it from the root, as in /dev/ttyUSB0";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                Err(io::Error::new(error.kind(), "the path has a NUL byte"))
            }
            status => Self::of(&status?),
        }
    }

    /// What a descriptor is of.
    pub(super) fn of_descriptor(descriptor: &OwnedFd) -> io::Result<Self> {
        Self::of(&fs::File::from(descriptor.try_clone()?).metadata()?)
    }

    fn of(status: &fs::Metadata) -> io::Result<Self> {
        let file = FileId { file_system: status.dev(), inode: status.ino() };
        let kind = status.file_type();
        let identity = if kind.is_char_device() {
            Identity::Character(status.rdev())
        } else if kind.is_block_device() {
            Identity::Block(status.rdev())
        } else if kind.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR));
        } else {
            Identity::File(file)
        };
        Ok(Self { identity, file })
    }

    /// Whether the two have one lock.
    pub(super) fn is_same_device(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.identity {
            Identity::Character(number) => write!(f, "dev:c{}:{}", major(number), minor(number)),
            Identity::Block(number) => write!(f, "dev:b{}:{}", major(number), minor(number)),
            Identity::File(FileId { file_system, inode }) => {
                write!(f, "file:{}:{}:{inode}", major(file_system), minor(file_system))
            }
        }
    }
}

/// The two parts of a device's number, as the kernel gives it to programs (`new_encode_dev`, `huge_encode_dev` in its
/// `linux/kdev_t.h`; nix has them for `linux`, and not for `android`).
const fn major(number: u64) -> u64 {
    number >> 32 & 0xffff_f000 | number >> 8 & 0xfff
}

const fn minor(number: u64) -> u64 {
    number >> 12 & 0xffff_ff00 | number & 0xff
}

/// As `/proc/locks` has it: `00:05:1234`, the numbers of the file system in hexadecimal (proc(5)).
impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file_system, inode } = self;
        write!(f, "{:02x}:{:02x}:{inode}", major(*file_system), minor(*file_system))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn name(path: impl AsRef<Path>) -> Result<String, io::ErrorKind> {
        Node::at(path.as_ref()).map(|node| node.to_string()).map_err(|error| error.kind())
    }

    #[test]
    fn a_device_is_its_numbers_and_a_file_its_inode() {
        assert_eq!(name("/dev/null").as_deref(), Ok("dev:c1:3"));
        assert_eq!(name("/dev/../dev//null").as_deref(), Ok("dev:c1:3"));
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        assert!(name(&file).unwrap().starts_with("file:"));
        assert_eq!(name(&link), name(&file));
        symlink("/dev/zero", folder.path().join("zero")).unwrap();
        assert_eq!(name(folder.path().join("zero")).as_deref(), Ok("dev:c1:5"));
    }

    #[test]
    fn what_is_no_device_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let circle = folder.path().join("circle");
        symlink(&circle, &circle).unwrap();
        let eloop = io::Error::from_raw_os_error(libc::ELOOP).kind();
        assert_eq!(name(&circle), Err(eloop));
        assert_eq!(name(folder.path().join("none")), Err(io::ErrorKind::NotFound));
        assert_eq!(name("dev/null"), Err(io::ErrorKind::InvalidInput));
        assert_eq!(name("/dev/nu\0ll"), Err(io::ErrorKind::InvalidInput));
        assert_eq!(name("/dev"), Err(io::Error::from_raw_os_error(libc::EISDIR).kind()));
        assert_eq!(name(""), Err(io::ErrorKind::InvalidInput));
    }
}
