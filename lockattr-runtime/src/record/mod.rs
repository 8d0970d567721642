//! The record of a lock: who took it last, from where and when, and whether it was given back.
//!
//! One page of 4096 bytes that every process can read. At its start stands text in resourcelock's
//! form; at its end the fields of [`layout`]. Both stay after the release: a lock's history is its
//! last grant. Nothing here decides who holds a lock.

#[cfg(unix)]
mod file;
#[cfg(not(unix))]
#[path = "no_file.rs"]
mod file;
mod kept;
mod layout;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod owned;
pub(crate) mod owner;
mod remembered;
mod remove;
mod snapshot;
mod text;
mod write;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::holder::{Holder, KnownBy, Tenure};
use crate::info::Info;
use crate::sys::clock;
use crate::sys::fork;
use crate::sys::mapping::{self, Words, PAGE_WORDS};
use crate::sys::namespace::Network;
use crate::sys::process::{effective_uid, Identity, Process};
use crate::sys::thread;
use file::SharedFile;
use layout::{Field, MAGIC, TEXT_BYTES, VERSION};
use write::ABANDONED;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use file::FOLDER;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use owned::{snapshot as of_semaphore, OwnedCopy, OwnedPage, Recorded};
pub(crate) use remembered::remembered;
pub(crate) use remove::remove;
pub(crate) use snapshot::{latest, read, read_any, PeerState, Snapshot};

/// The record that this process's user writes for one lock. Only the lock's holder writes, so
/// writers never meet.
#[derive(Debug)]
pub(crate) struct Record {
    name: Box<str>,
    page: fork::Gated<Option<Arc<Page>>>,
}

impl Record {
    /// Opens nothing yet: that happens at the first grant.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.into(), page: fork::Gated::default() }
    }

    /// The page to write to: opened, or opened again if somebody removed or cut the file (as
    /// systemd-logind does with `RemoveIPC=yes` when a user logs out).
    pub(crate) fn page(&self) -> Arc<Page> {
        let (page, trouble) = self.open();
        if let Some(error) = trouble {
            // Without what tells the record of a TCP lock.
            let name = self.name.split('\0').next().unwrap_or_default();
            crate::tell::record_unavailable(name, &error);
        }
        page
    }

    /// The page, and what is to be said about it, which must be said outside of the gate.
    fn open(&self) -> (Arc<Page>, Option<io::Error>) {
        let (now, uid) = (clock::monotonic(), effective_uid());
        let mut gate = match fork::gate() {
            Ok(gate) => gate,
            Err(error) => return (Arc::new(Page::private()), Some(error)),
        };
        let page = self.page.get(&mut gate);
        if let Some(page) = &*page {
            if matches!(&**page, Page::Shared(file) if file.is_of(uid) && file.is_whole(now)) {
                return (Arc::clone(page), None);
            }
        }
        let trouble = match SharedFile::open(&self.name, uid) {
            Ok(file) => return (Arc::clone(page.insert(Arc::new(Page::Shared(file)))), None),
            Err(error) => error,
        };
        match &*page {
            // Known already. Tried again each time: descriptors may just have been short.
            Some(private) if matches!(&**private, Page::Private(_)) => (Arc::clone(private), None),
            _ => (Arc::clone(page.insert(Arc::new(Page::private()))), Some(trouble)),
        }
    }

    /// Why there is no file to write to.
    pub(crate) fn trouble(&self) -> io::Error {
        let again = || io::Error::other("it can be written by now; try again");
        SharedFile::open(&self.name, effective_uid()).err().unwrap_or_else(again)
    }

    /// The last grant of this process where nobody else can know: without a file.
    pub(crate) fn private_last_grant(&self) -> Option<Grant> {
        let mut gate = fork::gate().ok()?;
        match self.page.get(&mut gate).as_deref() {
            Some(page @ Page::Private(_)) => Some(page.last_grant()),
            _ => None,
        }
    }
}

/// The record's page, opened to be written by the lock's holder.
#[derive(Debug)]
pub(crate) enum Page {
    /// In the record's file.
    Shared(SharedFile),
    /// Stands in where the file cannot be had. It tells nobody else, but this process still knows
    /// what it did itself.
    Private(Box<Words>),
}

impl Page {
    fn private() -> Self {
        Self::Private(Box::new([(); PAGE_WORDS].map(|()| AtomicU64::new(0))))
    }

    fn words(&self) -> &Words {
        match self {
            Self::Shared(file) => file.words(),
            Self::Private(words) => words,
        }
    }

    /// Writes that the caller, who holds the lock `name` by a socket of `network`, was granted it at `now`.
    pub(crate) fn write_grant(&self, name: &str, network: Network, now: u64, info: Info<'_>) {
        let by = thread::current();
        write::grant(self.words(), TEXT_BYTES, name, Some(network), now, info, by);
    }

    /// Writes another text for the caller, who holds the lock; whether others can see it.
    pub(crate) fn write_info(&self, info: Info<'_>) -> bool {
        let is_seen = matches!(self, Self::Shared(file) if file.is_whole(clock::monotonic()));
        let words = self.words();
        is_seen && write::info(words, TEXT_BYTES, words[0].load(Ordering::Acquire), info)
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

    /// Writes that the caller, who has the lock `name` still, lets go of it: `to` the process that is sent
    /// it next, if any.
    pub(crate) fn write_handed(&self, name: &str, to: Option<u32>) {
        if !matches!(self, Self::Shared(file) if !file.is_whole(clock::monotonic())) {
            write::handed(self.words(), name, to);
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

    /// Whose record it is, where others can see it.
    pub(crate) fn uid(&self) -> Option<u32> {
        match self {
            Self::Shared(file) => Some(file.uid()),
            Self::Private(_) => None,
        }
    }

    /// The last grant as far as this page tells, for decisions that harm nobody when it lies.
    pub(crate) fn last_grant(&self) -> Grant {
        Grant::read(self.words())
    }

    /// Whether the last grant was given back, and not left to a descriptor: by one word, which tells of nearly all.
    pub(crate) fn was_given_back(&self) -> bool {
        let released = Field::ReleasedMonotonic.of(self.words()).load(Ordering::Relaxed);
        write::is_release(released) && released != kept::KEPT
    }

    /// Whether the process that the last grant was made to runs as it did then and has not given the lock
    /// back.
    pub(crate) fn last_grant_stands(&self) -> bool {
        let grant = self.last_grant();
        let Self::Shared(file) = self else { return grant.is_held() };
        grant.is_held() && !mapping::was_left_by_exec(grant.pid(), file.inode())
    }
}

/// What the record says about the last grant, without its texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    /// Its pid is 0 in a record that nobody has written yet.
    identity: Identity,
    network: Network,
    /// Monotonic nanoseconds, 0 while it is held, or a word such as [`ABANDONED`].
    released: u64,
}

impl Grant {
    fn read(words: &Words) -> Self {
        let get = |field: Field| field.of(words).load(Ordering::Relaxed);
        let is_record = get(Field::Magic) == MAGIC && get(Field::Version) == VERSION;
        let identity = layout::identity(get);
        Self {
            identity: Identity { pid: if is_record { identity.pid } else { 0 }, ..identity },
            network: Network::from_word(get(Field::Network)),
            released: get(Field::ReleasedMonotonic),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.identity.pid
    }

    /// Whether the process it was made to can be seen to run, and has not given the lock back.
    fn is_held(&self) -> bool {
        let this = Process::this();
        self.pid() != 0
            && self.released == 0
            && self.identity.shares_pids_with(&this.identity)
            && self.identity.can_run(this)
    }

    /// Whether there was none, or it was given back: nothing is to be looked into.
    pub(crate) fn is_in_order(&self) -> bool {
        self.pid() == 0 || self.released_at().is_some()
    }

    /// Whether it was left to a descriptor.
    pub(crate) fn is_kept(&self) -> bool {
        self.released == kept::KEPT
    }

    /// Whom it was made to, and who died. (Its numbers may be those of the one before, if it died while
    /// it wrote its own.)
    pub(crate) fn dead_holder(&self) -> Holder {
        let is_here = self.identity.shares_pids_with(&Process::this().identity);
        Holder {
            pid: is_here.then_some(self.pid()),
            ..Holder::unknown(Tenure::Died, KnownBy::Record)
        }
    }

    /// When it was given back, by the monotonic clock.
    pub(crate) fn released_at(&self) -> Option<u64> {
        Some(self.released).filter(|released| write::is_release(*released))
    }

    /// Which network namespace its socket belongs to.
    pub(crate) fn network(&self) -> Network {
        self.network
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
// elsewhere a process is known by its pid alone
mod tests;
