//! What there is to say about one lock.

use std::sync::Arc;
use std::thread;

use lockattr_runtime::{Backend, Holder, Lock, LockError, Standing};

use crate::device::kernel_name;
use crate::sem;
use crate::sockets::Table;

/// One lock, as a look found it.
///
/// ```
/// use lockattr_survey::{survey, Scope};
///
/// for lock in survey(Scope::Remembered, None)? {
///     let waiters = lock.waiters.map_or("?".to_owned(), |waiters| waiters.to_string());
///     println!("{:?} ({}): {waiters} wait", lock.name, lock.backend);
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// The lock's name. Any program can have chosen it: escape it before it goes to a terminal.
    pub name: String,
    /// How it excludes others.
    pub backend: Backend,
    /// Whether it is taken, and by whom.
    pub held: Held,
    /// The last holder of a free lock, or of one whose holder is not known.
    pub last: Option<Holder>,
    /// How many wait for it, where that is known.
    ///
    /// For a semaphore these are the lockattr programs in its queue, and those that sleep in the semaphore by
    /// the C library's count. It counts those, too, that were killed in their sleep. Of a TCP lock they are those that wait in
    /// order: not all of them beside programs of k3portlock.
    pub waiters: Option<u32>,
    /// What the kernel calls the device, of a device's lock: `ttyUSB0`.
    pub device: Option<String>,
}

/// Whether a lock is taken.
///
/// ```
/// use lockattr_survey::{survey, Held, Scope};
///
/// for lock in survey(Scope::Present, None)? {
///     match &lock.held {
///         Held::By(holder) => println!("{:?}: {holder}", lock.name),
///         Held::Free => println!("{:?}: free", lock.name),
///         Held::Somehow => println!("{:?}: held", lock.name),
///         Held::Unknown(error) => println!("{error}"),
///         _ => {}
///     }
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Held {
    /// By this process.
    By(Box<Holder>),
    /// By a process of which nothing can be found out.
    Somehow,
    /// It is free.
    Free,
    /// This user may not look, or what is there is no lock any more: why.
    Unknown(Arc<LockError>),
}

impl Status {
    /// Looks at `lock`.
    ///
    /// ```
    /// use lockattr::{Backend, Lock};
    /// use lockattr_survey::Status;
    ///
    /// let lock = Lock::open(Backend::Port, "doc-status")?;
    /// assert_eq!(Status::of(&lock)?.is_locked(), Some(false));
    /// # Ok::<_, lockattr::LockError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Lock::standing`].
    pub fn of(lock: &Lock) -> Result<Self, LockError> {
        Ok(Self::found(lock, lock.standing()?))
    }

    /// What there is to say about `lock`, which a look has found like this.
    ///
    /// ```
    /// use lockattr::{Backend, Lock};
    /// use lockattr_survey::Status;
    ///
    /// let lock = Lock::open(Backend::Port, "doc-status-found")?;
    /// let standing = lock.standing()?;
    /// // One look for both: what is decided by it, and what is shown.
    /// let wait = standing.is_locked();
    /// assert_eq!(Status::found(&lock, standing).is_locked(), Some(wait));
    /// # Ok::<_, lockattr::LockError>(())
    /// ```
    #[must_use]
    pub fn found(lock: &Lock, standing: Standing) -> Self {
        Self::found_beside(Table::read().ok().as_ref(), lock, standing)
    }

    fn found_beside(table: Option<&Table>, lock: &Lock, standing: Standing) -> Self {
        let held = match &standing {
            Standing::Held { holder, .. } => Held::By(holder.clone()),
            Standing::Free { .. } | Standing::Left { .. } => Held::Free,
            _ => Held::Somehow,
        };
        let last = if matches!(held, Held::By(_)) { None } else { standing.into_last_holder() };
        let waiters = match lock.backend() {
            Backend::Port => table.map(|table| table.waiters(lock.name())),
            Backend::Tcp => table.map(|table| table.tcp_waiters(lock.name())),
            _ => sem::sleepers(lock.name())
                .zip(table)
                .map(|(sleepers, table)| sleepers.saturating_add(table.queued(lock.name()))),
        };
        Self { last, waiters, ..status(lock.name().to_owned(), lock.backend(), held) }
    }

    pub(crate) fn of_free_port(name: String, last: Holder) -> Self {
        let free = status(name, Backend::Port, Held::Free);
        Self { last: Some(last), waiters: Some(0), ..free }
    }

    /// Whether it is taken; none if that cannot be told.
    ///
    /// ```
    /// # use lockattr_survey::{survey, Scope};
    /// let all = survey(Scope::Present, None)?;
    /// let held = all.iter().filter(|lock| lock.is_locked() == Some(true)).count();
    /// println!("{held} of {} locks are held", all.len());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> Option<bool> {
        match self.held {
            Held::By(_) | Held::Somehow => Some(true),
            Held::Free => Some(false),
            Held::Unknown(_) => None,
        }
    }

    /// The holder, or the last one if the lock is free.
    ///
    /// ```
    /// # use lockattr_survey::{survey, Scope};
    /// for lock in survey(Scope::Remembered, None)? {
    ///     if let Some(person) = lock.person() {
    ///         println!("{:?}: {person}", lock.name);
    ///     }
    /// }
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn person(&self) -> Option<&Holder> {
        match &self.held {
            Held::By(holder) => Some(holder),
            Held::Free => self.last.as_ref(),
            Held::Somehow | Held::Unknown(_) => None,
        }
    }

    /// The holder.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr_survey::{survey, Scope};
    /// for lock in survey(Scope::Held, None)? {
    ///     let Some(holder) = lock.holder() else { continue };
    ///     if holder.held_for.is_some_and(|time| time > Duration::from_secs(60)) {
    ///         println!("{:?} is stuck? {holder}", lock.name);
    ///     }
    /// }
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        match &self.held {
            Held::By(holder) => Some(holder),
            _ => None,
        }
    }

    /// What is taken comes first.
    pub(crate) fn order(&self) -> (bool, &str, u8) {
        let backend = match self.backend {
            Backend::Port => 0,
            Backend::Semaphore => 1,
            _ => 2,
        };
        (self.is_locked() == Some(false), &self.name, backend)
    }
}

/// The port locks that somebody has.
pub(crate) fn of_ports(table: &Table) -> Vec<Status> {
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
            Err(error) => Held::Unknown(Arc::new(error)),
        };
        let waiters = Some(table.waiters(text));
        Some(Status { waiters, ..status(text.to_owned(), Backend::Port, held) })
    })
}

/// The semaphores of these names; only those that somebody has if `held`.
pub(crate) fn of_semaphores<'a>(names: impl Iterator<Item = &'a str>, held: bool) -> Vec<Status> {
    let table = Table::read().ok();
    side_by_side(&names.collect::<Vec<_>>(), |name| {
        let lock = Lock::open(Backend::Semaphore, name).ok()?; // another file's name
        let looked =
            lock.standing().map(|found| Status::found_beside(table.as_ref(), &lock, found));
        let status = looked.unwrap_or_else(|error| {
            status((*name).to_owned(), Backend::Semaphore, Held::Unknown(Arc::new(error)))
        });
        (!held || status.is_locked() != Some(false)).then_some(status)
    })
}

/// The TCP locks of these names; only those that somebody has if `held`.
pub(crate) fn of_tcp(names: &[String], held: bool) -> Vec<Status> {
    side_by_side(names, |name| {
        let lock = Lock::open(Backend::Tcp, name).ok()?;
        let looked = lock.standing().map(|found| Status::found_beside(None, &lock, found));
        let status = looked.unwrap_or_else(|error| {
            status(name.clone(), Backend::Tcp, Held::Unknown(Arc::new(error)))
        });
        (!held || status.is_locked() != Some(false)).then_some(status)
    })
}

fn status(name: String, backend: Backend, held: Held) -> Status {
    let device = kernel_name(&name);
    Status { name, backend, held, last: None, waiters: None, device }
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
