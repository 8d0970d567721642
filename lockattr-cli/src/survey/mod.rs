//! Finding the locks of this machine, and looking at them. Nothing is created by it.

mod find;
mod sem;
mod shm;
mod sockets;
mod status;

use lockattr_runtime::Backend;

use crate::exit::Stop;

pub(crate) use find::{is_known, open};
pub(crate) use status::{found, look, Held, Status};

use shm::Folder;
use sockets::Table;

/// Which locks a survey shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those that somebody has.
    Held,
    /// Those that are there: also free semaphores.
    Present,
    /// Also the records that free port locks have left.
    Remembered,
}

/// The locks of this machine: what is taken comes first, and all in the order of their names.
pub(crate) fn all(scope: Scope, backend: Option<Backend>) -> Result<Vec<Status>, Stop> {
    let mut found = Vec::new();
    // A process uses one name under one backend only: so one after the other, each let go of at once.
    if backend.is_none() || backend == Some(Backend::Port) {
        let table = Table::read()?;
        found.extend(status::of_ports(&table));
        if scope == Scope::Remembered {
            let folder = Folder::read()?;
            let free = folder.remembered_ports().filter(|name| !table.is_bound(name));
            found.extend(status::of_free_ports(&free.collect::<Vec<_>>()));
        }
    }
    if backend.is_none() || backend == Some(Backend::Tcp) {
        let names: Vec<_> = Folder::read()?.remembered_tcp().collect();
        found.extend(status::of_tcp(&names, scope != Scope::Remembered));
    }
    if backend.is_none() || backend == Some(Backend::Semaphore) {
        let folder = Folder::read()?;
        found.extend(status::of_semaphores(folder.semaphores(), scope == Scope::Held));
    }
    found.sort_by(|one, other| one.order().cmp(&other.order()));
    Ok(found)
}
