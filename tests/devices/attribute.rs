//! `device` and `join` in the attribute.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use lockattr::{interprocess_lock, Lock, LockError};
use nix::fcntl::{Flock, FlockArg};

use crate::support::LONG;
use crate::terminal::{lock_files, remove, Port};

fn is_held(path: &Path) -> bool {
    Lock::device(path).unwrap().is_held_by_process()
}

#[interprocess_lock(device = "/dev/zero")]
fn fixed() -> io::Result<bool> {
    Ok(is_held(Path::new("/dev/zero")))
}

#[interprocess_lock(device = "/dev/{name}")]
fn captured(name: &str) -> Result<bool, LockError> {
    Ok(is_held(Path::new("/dev/full")))
}

#[interprocess_lock(device = "{path}", timeout = "0s")]
fn by_path(path: &Path) -> Result<bool, LockError> {
    Ok(is_held(path))
}

#[interprocess_lock(device = "{path}")]
fn by_path_buf(path: PathBuf) -> Result<bool, LockError> {
    Ok(is_held(&path))
}

#[interprocess_lock(device = "{path}")]
fn by_os_string(path: OsString) -> Result<bool, LockError> {
    Ok(is_held(Path::new(&path)))
}

#[test]
fn a_device_comes_from_a_literal_and_from_arguments() {
    assert!(fixed().unwrap());
    assert!(captured("full").unwrap());
    let Some(port) = Port::new("attribute") else { return };
    assert!(by_path(&port.link()).unwrap());
    assert!(by_path_buf(port.node.clone()).unwrap());
    assert!(by_os_string(port.link().into()).unwrap());
    assert!(!is_held(&port.node));
    for name in ["zero", "full"] {
        remove(Lock::device(Path::new("/dev").join(name)).unwrap().name());
    }
}

#[test]
fn a_device_that_is_not_there_is_an_error_and_the_body_does_not_run() {
    for path in ["/dev/no-such-device", "relative", "/dev"] {
        let error = by_path(Path::new(path)).unwrap_err();
        assert!(
            matches!(&error, LockError::NoDevice { path: told, .. } if told == Path::new(path)),
            "{error}"
        );
    }
    let unwritable = std::os::unix::ffi::OsStringExt::from_vec(b"/dev/\xff".to_vec());
    let error = by_os_string(unwritable).unwrap_err();
    assert!(matches!(error, LockError::NoDevice { .. }), "{error}");
}

struct Driver {
    path: PathBuf,
    port: File,
}

impl Driver {
    fn open(path: &Path) -> Self {
        Self { path: path.to_owned(), port: File::open(path).unwrap() }
    }

    fn others_flock(&self) -> Option<Flock<File>> {
        Flock::lock(File::open(&self.path).unwrap(), FlockArg::LockExclusiveNonblock).ok()
    }
}

#[interprocess_lock(device = "{self.path}", join = self.port, reentrant)]
impl Driver {
    fn transfer(&mut self) -> io::Result<bool> {
        // The body has the port for itself.
        self.port = File::open(&self.path)?;
        self.is_alone()
    }

    fn is_alone(&self) -> io::Result<bool> {
        Ok(self.others_flock().is_none() && !lock_files(&self.path)[0].exists())
    }

    #[interprocess_lock(device = "{self.path}", join = "uucp")]
    fn keeps_minicom_out(&self) -> io::Result<bool> {
        Ok(self.others_flock().is_some() && lock_files(&self.path)[0].exists())
    }

    #[interprocess_lock(device = "{self.path}", join = [self.port, "uucp"], backend = "port")]
    fn keeps_all_out(&self) -> io::Result<bool> {
        Ok(self.others_flock().is_none() && lock_files(&self.path)[0].exists())
    }

    #[interprocess_lock(skip)]
    fn unlocked(&self) -> bool {
        self.others_flock().is_some() && !lock_files(&self.path)[0].exists()
    }
}

#[test]
fn what_is_joined_is_taken_while_the_body_runs() {
    let Some(port) = Port::new("attribute-join") else { return };
    let mut driver = Driver::open(&port.node);
    assert!(driver.transfer().unwrap());
    assert!(driver.keeps_minicom_out().unwrap());
    assert!(driver.keeps_all_out().unwrap());
    assert!(driver.unlocked());
}

#[interprocess_lock(device = "{path}", join = port)]
fn by_argument(path: &Path, port: File) -> io::Result<()> {
    drop(port);
    let other = Flock::lock(File::open(path)?, FlockArg::LockExclusiveNonblock);
    other.map_or(Ok(()), |_| Err(io::ErrorKind::AlreadyExists.into()))
}

#[test]
fn a_descriptor_may_be_an_argument_that_the_body_moves() {
    let Some(port) = Port::new("attribute-move") else { return };
    by_argument(&port.node, File::open(&port.node).unwrap()).unwrap();
    drop(port.lock().acquire(LONG).unwrap());
}

#[cfg(feature = "async")]
#[interprocess_lock(device = "{path}", join = [port, "uucp"])]
async fn in_a_task(path: &Path, port: &File) -> io::Result<bool> {
    tokio::task::yield_now().await;
    let other = Flock::lock(File::open(path)?, FlockArg::LockExclusiveNonblock);
    Ok(other.is_err() && lock_files(path)[0].exists())
}

#[cfg(feature = "async")]
#[tokio::test]
async fn a_task_joins_too() {
    let Some(port) = Port::new("attribute-task") else { return };
    let opened = File::open(&port.node).unwrap();
    assert!(in_a_task(&port.node, &opened).await.unwrap());
    assert!(!lock_files(&port.node)[0].exists());
}
