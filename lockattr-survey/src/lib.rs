//! The locks of this machine, as [lockattr](https://docs.rs/lockattr), k3portlock and resourcelock take them:
//! which there are, who holds them, and how many wait. The command `lockattr` shows what this crate finds.
//!
//! Nothing is created and nothing is taken by looking.
//!
//! ```
//! use lockattr_survey::{survey, Scope};
//!
//! for lock in survey(Scope::Held, None)? {
//!     if let Some(holder) = lock.holder() {
//!         println!("{} ({}): {holder}", lock.name, lock.backend);
//!     }
//! }
//! # Ok::<_, lockattr_survey::SurveyError>(())
//! ```
//!
//! What is seen are the port locks of this network namespace, and the semaphores of this mount namespace
//! (its `/dev/shm`), and the TCP locks that a record there tells of: ports tell no name, so what k3portlock
//! alone has taken is not found. It takes `/proc/net/unix` (`proc(5)`).

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!(
    "lockattr-survey, and the command `lockattr` by it, finds locks by what Linux tells of them in /proc and /dev/shm"
);

mod device;
mod error;
mod find;
mod sem;
mod shm;
mod sockets;
mod status;

use lockattr_runtime::{free_port_locks, remembered_tcp_locks, Backend};

pub use error::SurveyError;
pub use find::{backend_of, is_known, HeldTwice};
pub use status::{Held, Status};

use shm::Folder;
use sockets::Table;

/// Which locks a [`survey`] finds.
///
/// ```
/// use lockattr_survey::{survey, Scope};
///
/// let held = survey(Scope::Held, None)?;
/// let all = survey(Scope::Remembered, None)?;
/// println!("{} held now, {} ever taken", held.len(), all.len());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Those that are taken.
    Held,
    /// Those that are there: also free semaphores.
    Present,
    /// Also free port and TCP locks, as far as a record tells of them.
    Remembered,
}

/// The locks of this machine, of one backend or of all. Those that are taken come first, and all are in
/// the order of their names.
///
/// Each TCP lock that a record tells of is looked at by a try for its ports, see
/// [`Backend::Tcp`]. Each held port lock is looked at over a connection that leaves an entry in its holder's queue until the
/// release, unless this process has a [`Lock`](lockattr_runtime::Lock) of that name: that one keeps its
/// connection from one look to the next. Who looks often keeps the locks that it has seen.
///
/// ```
/// use lockattr::{Backend, Lock};
/// use lockattr_survey::{survey, Scope};
///
/// let lock = Lock::open(Backend::Port, "doc-survey")?;
/// let guard = lock.try_acquire()?;
/// let held = survey(Scope::Held, Some(Backend::Port))?;
/// let found = held.iter().find(|found| found.name == "doc-survey").unwrap();
/// assert_eq!(found.is_locked(), Some(true));
/// assert_eq!(found.holder().unwrap().pid, Some(std::process::id()));
/// # drop(guard);
/// # std::fs::remove_file(format!("/dev/shm/lockattr.{}.doc-survey", found.holder().unwrap().uid.unwrap()))?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If `/proc/net/unix` or `/dev/shm` cannot be read. A lock that cannot be looked at is no error: it is
/// [`Held::Unknown`].
pub fn survey(scope: Scope, backend: Option<Backend>) -> Result<Vec<Status>, SurveyError> {
    let mut found = Vec::new();
    // A process uses one name under one backend only: so one after the other, each let go of at once.
    let wants = |one| backend.map_or(true, |wanted| wanted == one);
    if wants(Backend::Port) {
        found.extend(status::of_ports(&Table::read()?));
        if scope == Scope::Remembered {
            let free = free_port_locks().map_err(SurveyError::reading(shm::FOLDER))?;
            found.extend(free.into_iter().map(|(name, last)| Status::of_free_port(name, last)));
        }
    }
    if wants(Backend::Semaphore) {
        let folder = Folder::read()?;
        found.extend(status::of_semaphores(folder.semaphores(), scope == Scope::Held));
    }
    if wants(Backend::Tcp) {
        let names = remembered_tcp_locks().map_err(SurveyError::reading(shm::FOLDER))?;
        found.extend(status::of_tcp(&names, scope != Scope::Remembered));
    }
    found.sort_by(|one, other| one.order().cmp(&other.order()));
    Ok(found)
}
