//! Which lock a name on the command line means.

use lockattr_runtime::{Backend, Lock, LockError};

use super::sem;
use super::shm::Folder;
use super::sockets::Table;
use crate::exit::Stop;
use crate::text::Escaped;

/// The lock `name` of `backend`, or of the one that [`backend_of`] finds.
pub(crate) fn open(name: &str, backend: Option<Backend>) -> Result<Lock, Stop> {
    let backend = match backend {
        Some(backend) => backend,
        None => backend_of(name)?,
    };
    Ok(Lock::open(backend, name)?)
}

/// The backend under which `name` is held; else the one where it exists; else the port backend.
pub(crate) fn backend_of(name: &str) -> Result<Backend, Stop> {
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
    match (is_port, is_semaphore) {
        (true, true) => Err(Stop::usage(format!(
            "\"{}\" is held under both backends; say which one you mean: `-b port` or `-b semaphore`",
            Escaped(name)
        ))),
        (true, false) => Ok(Backend::Port),
        (false, true) => Ok(Backend::Semaphore),
        (false, false) => Ok(if exists { Backend::Semaphore } else { Backend::Port }),
    }
}

/// Whether anything tells that `lock`, which is free, has ever been taken.
pub(crate) fn is_known(lock: &Lock) -> bool {
    match lock.backend() {
        Backend::Semaphore => sem::exists(lock.name()),
        Backend::Tcp => Folder::read()
            .is_ok_and(|folder| folder.remembered_tcp().any(|name| name == lock.name())),
        _ => Folder::read()
            .is_ok_and(|folder| folder.remembered_ports().any(|name| name == lock.name())),
    }
}
