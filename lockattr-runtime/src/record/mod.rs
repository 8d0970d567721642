//! The record of a lock: who took it last, from where and when, and whether it was given back.
//!
//! One page of 4096 bytes that every process can read. At its start stands text in resourcelock's
//! form; at its end the fields of [`layout`]. Both stay after the release: a lock's history is its
//! last grant. Nothing here decides who holds a lock.

mod file;
mod layout;
mod owned;
pub(crate) mod owner;
mod snapshot;
mod text;
mod write;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::holder::{Holder, KnownBy, Tenure};
use crate::info::Info;
use crate::sys::clock;
use crate::sys::fork;
use crate::sys::mapping::{Words, PAGE_WORDS};
use crate::sys::process::{self, Process};
use file::SharedFile;
use layout::{Field, MAGIC, TEXT_BYTES, VERSION};
use owner::Owner;
use write::ABANDONED;

pub(crate) use file::FOLDER;
pub(crate) use owned::{snapshot as of_semaphore, Numbers, OwnedCopy, OwnedPage};
pub(crate) use snapshot::{latest, read, read_any, Snapshot, Standing};

/// The record that this process's user writes for one lock. Only the lock's holder writes, so
/// writers never meet.
#[derive(Debug)]
pub(crate) struct Record {
    name: Box<str>,
    /// Only locked under the gate: a fork never copies it while it is locked.
    page: Mutex<Option<Arc<Page>>>,
}

impl Record {
    /// Opens nothing yet: that happens at the first grant.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.into(), page: Mutex::new(None) }
    }

    /// The page to write to: opened, or opened again if somebody removed or cut the file (as
    /// systemd-logind does with `RemoveIPC=yes` when a user logs out).
    pub(crate) fn page(&self) -> Arc<Page> {
        let (page, trouble) = self.open();
        if let Some(error) = trouble {
            crate::log::record_unavailable(&self.name, &error);
        }
        page
    }

    /// The page, and what is to be said about it, which must be said outside of the gate.
    fn open(&self) -> (Arc<Page>, Option<io::Error>) {
        let now = clock::monotonic();
        let _gate = fork::gate();
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = &*page {
            if matches!(&**page, Page::Shared(file) if file.is_whole(now)) {
                return (Arc::clone(page), None);
            }
        }
        let trouble = match SharedFile::open(&self.name) {
            Ok(file) => return (Arc::clone(page.insert(Arc::new(Page::Shared(file)))), None),
            Err(error) => error,
        };
        match &*page {
            // Known already. Tried again each time: descriptors may just have been short.
            Some(private) if matches!(&**private, Page::Private(_)) => (Arc::clone(private), None),
            _ => {
                let zeroes = [(); PAGE_WORDS].map(|()| AtomicU64::new(0));
                let private = Arc::new(Page::Private(Box::new(zeroes)));
                (Arc::clone(page.insert(private)), Some(trouble))
            }
        }
    }

    /// Why there is no file to write to.
    pub(crate) fn trouble(&self) -> io::Error {
        let again = || io::Error::other("it can be written by now; try again");
        SharedFile::open(&self.name).err().unwrap_or_else(again)
    }

    /// The last grant of this process where nobody else can know: without a file.
    pub(crate) fn private_last_grant(&self) -> Option<Grant> {
        let _gate = fork::gate();
        let page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        match page.as_deref() {
            Some(page @ Page::Private(_)) => Some(page.last_grant()),
            _ => None,
        }
    }
}

/// The record's page, opened to be written by whoever holds the lock.
#[derive(Debug)]
pub(crate) enum Page {
    /// In the record's file.
    Shared(SharedFile),
    /// Stands in where the file cannot be had. It tells nobody else, but this process still knows
    /// what it did itself.
    Private(Box<Words>),
}

impl Page {
    fn words(&self) -> &Words {
        match self {
            Self::Shared(file) => file.words(),
            Self::Private(words) => words,
        }
    }

    /// Writes that the caller, who holds the lock `name`, has just been granted it.
    pub(crate) fn write_grant(&self, name: &str, process: &Process, info: Info<'_>) {
        let (writer, now) = (Owner::of(process), clock::monotonic());
        write::grant(self.words(), TEXT_BYTES, name, writer, || *process, now, info);
    }

    /// Writes that the caller, who holds the lock still, gives it back.
    pub(crate) fn write_release(&self) {
        let now = clock::monotonic();
        self.write_end(now, now);
    }

    /// Writes that the caller, who holds the lock still, gives it back as if it had died.
    pub(crate) fn write_abandonment(&self) {
        self.write_end(clock::monotonic(), ABANDONED);
    }

    /// Writes that `this`, the caller, who has the lock `name` still, lets go of it: `to` the process
    /// that is sent it next, if any.
    pub(crate) fn write_handed(&self, name: &str, this: &Process, to: Option<u32>) {
        if !matches!(self, Self::Shared(file) if !file.is_whole(clock::monotonic())) {
            write::handed(self.words(), name, this, to);
        }
    }

    /// Whether the lock was sent to another process, and none has been granted it since.
    pub(crate) fn was_handed(&self) -> bool {
        let to = Field::Handed.of(self.words()).load(Ordering::Relaxed) & u64::from(u32::MAX);
        to != 0
    }

    fn write_end(&self, now: u64, end: u64) {
        // A lock is held for a while: somebody may have cut the file meanwhile.
        if !matches!(self, Self::Shared(file) if !file.is_whole(now)) {
            write::end(self.words(), end);
        }
    }

    /// Whether others can have written here.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// The last grant as far as this page tells, for decisions that harm nobody when it lies.
    pub(crate) fn last_grant(&self) -> Grant {
        Grant::read(self.words())
    }
}

/// What the record says about the last grant, without its texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    /// 0 in a record that nobody has written yet.
    pub(crate) pid: u32,
    start_time: u64,
    pid_space: u64,
    network_namespace: u64,
    /// Monotonic nanoseconds, 0 while it is held, or [`ABANDONED`].
    released: u64,
}

impl Grant {
    fn read(words: &Words) -> Self {
        let get = |field: Field| field.of(words).load(Ordering::Relaxed);
        let is_record = get(Field::Magic) == MAGIC && get(Field::Version) == VERSION;
        Self {
            pid: if is_record { u32::try_from(get(Field::Pid)).unwrap_or(0) } else { 0 },
            start_time: get(Field::StartTime),
            pid_space: get(Field::PidSpace),
            network_namespace: get(Field::NetworkNamespace),
            released: get(Field::ReleasedMonotonic),
        }
    }

    /// Whether the process it was made to runs and has not given the lock back.
    pub(crate) fn stands(&self, this: &Process) -> bool {
        self.pid != 0
            && self.released == 0
            && self.pid_space == this.pid_space
            && process::is_alive(self.pid, self.start_time)
    }

    /// Whether there was none, or it was given back: nothing is to be looked into.
    pub(crate) fn is_in_order(&self) -> bool {
        self.pid == 0 || self.released_at().is_some()
    }

    /// Whom it was made to, and who died. (Its numbers may be those of the one before, if it died while
    /// it wrote its own.)
    pub(crate) fn dead_holder(&self) -> Holder {
        let is_here = Process::this().is_ok_and(|this| this.pid_space == self.pid_space);
        Holder {
            pid: Some(self.pid).filter(|_| is_here),
            ..Holder::unknown(Tenure::Died, KnownBy::Record)
        }
    }

    /// When it was given back, by the monotonic clock.
    pub(crate) fn released_at(&self) -> Option<u64> {
        Some(self.released).filter(|released| !matches!(*released, 0 | ABANDONED))
    }

    /// Whether it was made in another network namespace than the one of `this`.
    pub(crate) fn is_elsewhere(&self, this: &Process) -> bool {
        self.network_namespace != this.network_namespace
    }
}
