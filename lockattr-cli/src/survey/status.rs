//! What there is to say about one lock.

use std::thread;

use lockattr_runtime::{Backend, Holder, Lock, LockError, Standing};

use super::sem;
use super::sockets::Table;

/// One lock, as a look found it.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) name: String,
    pub(crate) backend: Backend,
    pub(crate) held: Held,
    /// Who had it last, where nobody has it now, or where nobody says who has it.
    pub(crate) last: Option<Holder>,
    /// How many wait for it, where that is known.
    pub(crate) waiters: Option<u32>,
}

/// Whether somebody has a lock.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    By(Box<Holder>),
    /// By somebody of whom nothing can be found out.
    Somehow,
    Free,
    /// This user may not look, or what is there is no lock any more: why.
    Unknown(String),
}

impl Status {
    /// None if it cannot be told.
    pub(crate) fn is_locked(&self) -> Option<bool> {
        match self.held {
            Held::By(_) | Held::Somehow => Some(true),
            Held::Free => Some(false),
            Held::Unknown(_) => None,
        }
    }

    /// Who has it, or had it last where nobody has it.
    pub(crate) fn person(&self) -> Option<&Holder> {
        match &self.held {
            Held::By(holder) => Some(holder),
            Held::Free => self.last.as_ref(),
            Held::Somehow | Held::Unknown(_) => None,
        }
    }

    pub(crate) fn holder(&self) -> Option<&Holder> {
        match &self.held {
            Held::By(holder) => Some(holder),
            _ => None,
        }
    }

    /// What is taken comes first.
    pub(super) fn order(&self) -> (bool, &str, bool) {
        (self.is_locked() == Some(false), &self.name, self.backend == Backend::Semaphore)
    }
}

/// Looks at `lock`.
pub(crate) fn look(lock: &Lock) -> Result<Status, LockError> {
    Ok(found(lock, lock.standing()?))
}

/// What there is to say about `lock`, which was found like this.
pub(crate) fn found(lock: &Lock, standing: Standing) -> Status {
    found_beside(Table::read().ok().as_ref(), lock, standing)
}

fn found_beside(table: Option<&Table>, lock: &Lock, standing: Standing) -> Status {
    let held = match &standing {
        Standing::Held { holder, .. } => Held::By(holder.clone()),
        Standing::Free { .. } | Standing::Left { .. } => Held::Free,
        _ => Held::Somehow,
    };
    let last = if matches!(held, Held::By(_)) { None } else { standing.into_last_holder() };
    let waiters = match lock.backend() {
        Backend::Port => table.map(|table| table.waiters(lock.name())),
        Backend::Tcp => None,
        _ => sem::sleepers(lock.name())
            .zip(table)
            .map(|(sleepers, table)| sleepers.saturating_add(table.queued(lock.name()))),
    };
    Status { name: lock.name().to_owned(), backend: lock.backend(), held, last, waiters }
}

/// The port locks that somebody has.
pub(super) fn of_ports(table: &Table) -> Vec<Status> {
    let names: Vec<&[u8]> = table.names().collect();
    side_by_side(&names, |name| {
        let Ok(text) = std::str::from_utf8(name) else {
            // Only a program that is no lockattr can have called it so.
            let name = String::from_utf8_lossy(name).into_owned();
            return Some(status(name, Backend::Port, Held::Somehow));
        };
        let held = match Lock::open(Backend::Port, text).and_then(|lock| lock.holder()) {
            Ok(Some(holder)) => Held::By(Box::new(holder)),
            Ok(None) => return None, // given back since
            Err(error) => Held::Unknown(error.to_string()),
        };
        let waiters = Some(table.waiters(text));
        Some(Status { waiters, ..status(text.to_owned(), Backend::Port, held) })
    })
}

/// The records that free port locks have left.
pub(super) fn of_free_ports(names: &[String]) -> Vec<Status> {
    side_by_side(names, |name| {
        let last = Lock::open(Backend::Port, name).and_then(|lock| lock.last_holder()).ok()??;
        let free = status(name.clone(), Backend::Port, Held::Free);
        Some(Status { last: Some(last), waiters: Some(0), ..free })
    })
}

/// The TCP locks that have left a record; only those that somebody has if `held`. (Nothing else tells a name.)
pub(super) fn of_tcp(names: &[String], held: bool) -> Vec<Status> {
    side_by_side(names, |name| {
        let lock = Lock::open(Backend::Tcp, name).ok()?;
        let looked = lock.standing().map(|found| found_beside(None, &lock, found));
        let status = looked.unwrap_or_else(|error| {
            status(name.clone(), Backend::Tcp, Held::Unknown(error.to_string()))
        });
        (!held || status.is_locked() != Some(false)).then_some(status)
    })
}

/// The semaphores of these names; only those that somebody has if `held`.
pub(super) fn of_semaphores<'a>(names: impl Iterator<Item = &'a str>, held: bool) -> Vec<Status> {
    let table = Table::read().ok();
    side_by_side(&names.collect::<Vec<_>>(), |name| {
        let lock = Lock::open(Backend::Semaphore, name).ok()?; // another file's name
        let looked = lock.standing().map(|found| found_beside(table.as_ref(), &lock, found));
        let status = looked.unwrap_or_else(|error| {
            status((*name).to_owned(), Backend::Semaphore, Held::Unknown(error.to_string()))
        });
        (!held || status.is_locked() != Some(false)).then_some(status)
    })
}

fn status(name: String, backend: Backend, held: Held) -> Status {
    Status { name, backend, held, last: None, waiters: None }
}

/// Looks at many locks at a time: nearly all of it is system calls.
fn side_by_side<T: Sync>(names: &[T], look: impl Fn(&T) -> Option<Status> + Sync) -> Vec<Status> {
    /// Below, threads cost more than they save.
    const WORTH_A_THREAD: usize = 64;

    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    let share = names.len().div_ceil(threads).max(WORTH_A_THREAD);
    thread::scope(|scope| {
        let look = &look;
        let others: Vec<_> = names
            .chunks(share)
            .skip(1)
            .map(|names| scope.spawn(move || names.iter().filter_map(look).collect::<Vec<_>>()))
            .collect();
        let mut found: Vec<_> = names.iter().take(share).filter_map(look).collect();
        for thread in others {
            match thread.join() {
                Ok(more) => found.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    })
}
