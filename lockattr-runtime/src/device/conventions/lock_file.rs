//! A UUCP lock file of this process.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::uucp::{self, Standing};
use crate::holder::Holder;
use crate::sys::whole_file;

/// Others may read it, and nobody else may write it.
const MODE: u32 = 0o644;

/// A lock file of this process, which is removed when this is dropped.
#[derive(Debug)]
pub(in super::super) struct LockFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Makes the lock files for the device at the end of `path`: one for each way in which programs call it. Or else the
/// holder of one that is there.
///
/// The caller holds the device's lock, so of lockattr's processes no other does this meanwhile.
///
/// # Errors
/// What the system says, with the path.
pub(in super::super) fn take(path: &Path) -> io::Result<Result<Vec<LockFile>, Box<Holder>>> {
    let Some(folder) = uucp::folders().into_iter().next() else {
        let message = "there is no folder for lock files: neither /var/lock nor /run/lock";
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    };
    let mut made = Vec::new();
    for file in uucp::names(path).into_iter().map(|name| folder.join(name)) {
        let said =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
        let mut standing = uucp::standing(&file);
        if standing == Standing::Stale {
            standing = take_away(&folder, &file).map_err(said)?;
        }
        match standing {
            Standing::Free => match create(&file) {
                // Another program was faster: it is looked at again.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Ok(Err(Box::new(uucp::unseen(&file))))
                }
                created => made.push(created.map_err(said)?),
            },
            // This process has the device by it already, and it is not this acquire's to remove.
            Standing::Own => {}
            other => {
                let holder = other.holder(&file).unwrap_or_else(|| uucp::unseen(&file));
                return Ok(Err(Box::new(holder)));
            }
        }
    }
    Ok(Ok(made))
}

/// Removes a stale file, and says what stands there then. Another program (minicom) may do so at the same time,
/// and make its own: so the file is renamed, which takes away one and no other, and looked at once more. What dies
/// in between leaves one that locks nothing, and that the next one's replaces.
fn take_away(folder: &Path, file: &Path) -> io::Result<Standing> {
    let mut name = OsString::from("lockattr.stale.");
    name.push(file.file_name().unwrap_or_default());
    let aside = folder.join(name);
    match fs::rename(file, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Free),
        renamed => renamed?,
    }
    let standing = uucp::standing(&aside);
    if standing == Standing::Stale {
        fs::remove_file(&aside)?;
        return Ok(Standing::Free);
    }
    // It was another program's new one. If yet another has come there since, there is nothing to give back.
    let _ = fs::hard_link(&aside, file);
    fs::remove_file(&aside)?;
    Ok(standing)
}

/// Makes the file, with the pid as all programs read it: in ten columns.
fn create(path: &Path) -> io::Result<LockFile> {
    let content = format!("{:10}\n", std::process::id());
    let status = whole_file::create(path, MODE, content.as_bytes())?.metadata()?;
    Ok(LockFile { path: path.to_owned(), device: status.dev(), inode: status.ino() })
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Only if it is this one still: the number of one that was removed may be another's by now. Nobody could be
        // told of a failure; the file is stale when this process ends.
        let is_same = fs::symlink_metadata(&self.path)
            .is_ok_and(|status| (status.dev(), status.ino()) == (self.device, self.inode));
        if is_same && uucp::standing(&self.path) == Standing::Own {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LCK..x");
        (folder, path)
    }

    #[test]
    fn a_file_is_whole_and_goes_when_it_is_dropped() {
        let (folder, path) = pair();
        let made = create(&path).unwrap();
        let content = fs::read_to_string(&path).unwrap();
        assert_eq!(content, format!("{:10}\n", std::process::id()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, MODE);
        let kind = create(&path).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(made);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_anothers_by_now_stays() {
        let (_folder, path) = pair();
        let made = create(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "         1\n").unwrap();
        drop(made);
        assert!(path.exists());
    }

    #[test]
    fn only_what_is_stale_is_taken_away() {
        let (folder, path) = pair();
        fs::write(&path, "   4194303\n").unwrap();
        assert_eq!(take_away(folder.path(), &path).unwrap(), Standing::Free);
        assert_eq!(take_away(folder.path(), &path).unwrap(), Standing::Free);
        fs::write(&path, "         1\n").unwrap();
        assert_eq!(take_away(folder.path(), &path).unwrap(), Standing::Of(1));
        assert_eq!(fs::read_to_string(&path).unwrap(), "         1\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
