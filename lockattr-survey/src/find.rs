//! Which lock a name means.

use std::error::Error;
use std::fmt;

use lockattr_runtime::{Backend, Lock, LockError};

use crate::sem;
use crate::shm;
use crate::sockets::Table;

/// A name is held under several backends, so it does not say which lock is meant.
///
/// ```
/// use lockattr::{Backend, Lock};
///
/// # let name = "doc-held-twice";
/// let port = Lock::open(Backend::Port, name)?;
/// let guard = port.try_acquire()?;
/// assert_eq!(lockattr_survey::backend_of(name)?, Backend::Port); // an error if it is held as a semaphore, too
/// # drop(guard);
/// # port.remove_files()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HeldTwice(());

impl fmt::Display for HeldTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("held under several backends, which do not exclude each other")
    }
}

impl Error for HeldTwice {}

/// The backend under which `name` is held; else the one where it exists; else the port backend.
///
/// A TCP lock is known by its record. Without one its ports may be taken for another name: it is meant only if
/// nothing tells of a lock of another backend.
///
/// It is a guess for those who look. A program that takes a lock must know its backend: two programs that
/// guess differently do not exclude each other.
///
/// ```
/// # use lockattr::{Backend, Lock};
/// let name = "doc-backend-of";
/// assert_eq!(lockattr_survey::backend_of(name)?, Backend::Port);
/// let guard = Lock::open(Backend::Semaphore, name)?.try_acquire()?;
/// assert_eq!(lockattr_survey::backend_of(name)?, Backend::Semaphore);
/// # drop(guard);
/// # for file in ["/dev/shm/doc-backend-of", "/dev/shm/sem.doc-backend-of"] { std::fs::remove_file(file)?; }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If `name` is held under several.
pub fn backend_of(name: &str) -> Result<Backend, HeldTwice> {
    let is_port = Table::read().is_ok_and(|table| table.is_bound(name));
    let is_semaphore = match Lock::open(Backend::Semaphore, name).and_then(|lock| lock.is_locked())
    {
        Ok(locked) => locked,
        // Another user's, and who may not look cannot take it either: it says why.
        Err(LockError::Denied { .. }) => !is_port,
        Err(_) => false,
    };
    // What is in its place may be another lock's.
    let exists = sem::exists(name) && Lock::open(Backend::Semaphore, name).is_ok();
    let tcp = Lock::open(Backend::Tcp, name).ok();
    let has_tcp_record = tcp.as_ref().is_some_and(shm::has_record);
    let is_locked = || tcp.as_ref().is_some_and(|lock| lock.is_locked().unwrap_or(false));
    let is_tcp = has_tcp_record && is_locked();
    match (is_port, is_semaphore, is_tcp) {
        (true, false, false) => return Ok(Backend::Port),
        (false, true, false) => return Ok(Backend::Semaphore),
        (false, false, true) => return Ok(Backend::Tcp),
        (false, false, false) => {}
        _ => return Err(HeldTwice(())),
    }
    if exists {
        return Ok(Backend::Semaphore);
    }
    let was_port = Lock::open(Backend::Port, name).is_ok_and(|lock| shm::has_record(&lock));
    let may_be_tcp = !was_port && (has_tcp_record || is_locked());
    Ok(if may_be_tcp { Backend::Tcp } else { Backend::Port })
}

/// Whether anything tells that `lock`, which is free, has ever been taken.
///
/// ```
/// # use lockattr::{Backend, Lock};
/// let lock = Lock::open(Backend::Port, "doc-never-taken")?;
/// assert!(!lockattr_survey::is_known(&lock));
/// # Ok::<_, lockattr::LockError>(())
/// ```
#[must_use]
pub fn is_known(lock: &Lock) -> bool {
    match lock.backend() {
        Backend::Semaphore => sem::exists(lock.name()),
        _ => shm::has_record(lock),
    }
}
