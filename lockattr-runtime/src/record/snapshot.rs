//! Reading a record that any process may have written: nothing in it is believed.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime};

use super::kept::KEPT;
use super::layout::{self, Field, MAGIC, NAME_BYTES, TEXT_BYTES, VERSION};
use super::owner::Owner;
use super::write::{ABANDONED, DETACHED};
use super::{file, text};
use crate::holder::{Holder, KnownBy, Tenure};
use crate::sys::clock;
use crate::sys::file::{inode, read_exact_at};
use crate::sys::limit::{is_over, Limit};
use crate::sys::mapping::{self, PAGE_BYTES};
use crate::sys::namespace::Network;
use crate::sys::process::{effective_uid, Identity, Process, COMMAND_BYTES};

/// What a record tells of a process that the kernel names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerState {
    /// The last grant is its own.
    Holds,
    /// It has let go of the lock, which is on its way to another process, if to any.
    LetGo(Option<u32>),
    /// The record is about another process.
    Unknown,
}

/// A consistent copy of a record.
#[derive(Debug)]
pub(crate) struct Snapshot {
    page: Box<[u8; PAGE_BYTES]>,
    /// Of the record's file.
    inode: u64,
    /// The owner of the record's file, who alone can write it.
    pub(super) uid: u32,
    /// It was being written, by one that was stopped or killed there: only who has let go since is told.
    is_torn: bool,
}

/// What the record of `name` says that the user `uid` writes; none if there is none that can be
/// trusted to be that user's and whole.
pub(crate) fn read(name: &str, uid: u32) -> Option<Snapshot> {
    read_any(name, uid).filter(Snapshot::is_whole)
}

/// As [`read`], also where nobody was granted anything, or the grant was not written to its end: one that
/// lets go writes that down as well.
pub(crate) fn read_any(name: &str, uid: u32) -> Option<Snapshot> {
    let file = file::open_readable(name, uid).ok()?;
    Snapshot::take_any(&file, uid).filter(|snapshot| snapshot.name() == Some(name))
}

/// The latest grant of `name` that any user's record tells of; of those that are found within `limit`.
/// This user's is looked at first: anybody can make many files that look like records.
///
/// # Errors
/// If the folder of the records cannot be read.
pub(crate) fn latest(name: &str, limit: Option<Limit>) -> io::Result<Option<Snapshot>> {
    let this = effective_uid();
    let own = read(name, this);
    let folder = match file::all() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(own),
        folder => folder?,
    };
    let encoded = file::encoded(name);
    Ok(folder
        .take_while(|_| !is_over(limit))
        .filter_map(|entry| file::uid_in(&entry.ok()?.file_name(), &encoded))
        .filter(|uid| *uid != this)
        .filter_map(|uid| read(name, uid))
        .chain(own)
        .max_by_key(|snapshot| snapshot.word(Field::GrantedMonotonic)))
}

impl Snapshot {
    /// Reads by `pread`, not through a mapping: the file may be cut while it is being read, and a
    /// touch of a page that is gone is a SIGBUS.
    pub(super) fn take(file: &File, uid: u32) -> Option<Self> {
        Self::take_any(file, uid).filter(|snapshot| !snapshot.is_torn)
    }

    fn take_any(file: &File, uid: u32) -> Option<Self> {
        const TRIES: usize = 8; // a grant is written in well under a microsecond

        let inode = inode(file).ok()?;
        let mut snapshot = Self { page: Box::new([0; PAGE_BYTES]), inode, uid, is_torn: true };
        for _ in 0..TRIES {
            let before = sequence(file)?;
            read_exact_at(file, &mut *snapshot.page, 0).ok()?;
            if before % 2 == 0 && sequence(file)? == before {
                snapshot.is_torn = false;
                break;
            }
        }
        let ours = snapshot.word(Field::Magic) == MAGIC && snapshot.word(Field::Version) == VERSION;
        ours.then_some(snapshot)
    }

    /// Whether it tells of a grant, and to its end.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_torn && self.word(Field::Pid) != 0
    }

    fn bytes(&self, field: Field, length: usize) -> Option<&[u8]> {
        self.page.get(field as usize * 8..)?.get(..length)
    }

    pub(super) fn word(&self, field: Field) -> u64 {
        self.bytes(field, 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes)
    }

    fn narrow(&self, field: Field) -> Option<u32> {
        u32::try_from(self.word(field)).ok()
    }

    pub(super) fn name(&self) -> Option<&str> {
        let length = usize::try_from(self.word(Field::NameLength)).ok()?;
        let name = self.bytes(Field::Name, length.min(NAME_BYTES))?;
        std::str::from_utf8(name).ok()
    }

    /// The process of the last grant, if its pid means something in this pid namespace.
    pub(crate) fn pid(&self) -> Option<u32> {
        let visible = self.identity().shares_pids_with(&Process::this().identity);
        self.narrow(Field::Pid).filter(|_| visible)
    }

    pub(super) fn identity(&self) -> Identity {
        layout::identity(|field| self.word(field))
    }

    /// What the record tells of the process `pid`, which the kernel names as the one that has the lock.
    pub(crate) fn state_of(&self, pid: u32) -> PeerState {
        let (by, to) = self.handed();
        if by == pid {
            return PeerState::LetGo(Some(to).filter(|to| *to != 0));
        }
        match self.pid() {
            _ if self.is_torn => PeerState::Unknown,
            Some(granted) if granted == pid && self.has_ended() => match to {
                0 => PeerState::LetGo(None),
                // A later process passed it on without a grant, and sent it to this one again.
                to if to == pid => PeerState::Unknown,
                to => PeerState::LetGo(Some(to)),
            },
            Some(granted) if granted == pid => PeerState::Holds,
            _ => PeerState::Unknown,
        }
    }

    /// The number of the last grant, if it is another process's, and nothing is told of the process `pid`.
    pub(crate) fn grant_of_another_than(&self, pid: u32) -> Option<u64> {
        let is_anothers = self.is_torn || self.pid().is_some();
        (is_anothers && self.state_of(pid) == PeerState::Unknown).then(|| self.grant())
    }

    /// The user whose record it is.
    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }

    /// What no two grants have in common.
    pub(crate) fn grant(&self) -> u64 {
        self.word(Field::Sequence)
    }

    /// Who let go of the lock, and to whom it went; 0 where that was nobody, or means nothing here.
    fn handed(&self) -> (u32, u32) {
        let namespace = Process::this().identity.pid_namespace;
        let is_here = namespace != 0 && namespace == self.word(Field::HandedNamespace);
        let handed = if is_here { self.word(Field::Handed) } else { 0 };
        let half = |number: u64| u32::try_from(number).unwrap_or(0);
        (half(handed >> 32), half(handed & u64::from(u32::MAX)))
    }

    /// Whether its last grant was made after that of `other`, as far as their clocks are one.
    pub(crate) fn is_later_than(&self, other: &Self) -> bool {
        let (own, others) = (self.identity().time_namespace, other.identity().time_namespace);
        own != 0
            && own == others
            && self.word(Field::GrantedMonotonic) > other.word(Field::GrantedMonotonic)
    }

    /// Whether its last grant was made after that of `other` was given back, as far as their clocks are one.
    pub(crate) fn follows(&self, other: &Self) -> bool {
        self.identity().time_namespace == other.identity().time_namespace
            && other
                .released_at()
                .is_some_and(|released| self.word(Field::GrantedMonotonic) > released)
    }

    /// Whether the last grant was given back, in order or not.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.word(Field::ReleasedMonotonic), 0 | KEPT)
    }

    fn command(&self) -> Option<String> {
        let bytes = self.bytes(Field::Command, COMMAND_BYTES)?;
        let name = bytes.split(|&byte| byte == 0).next().filter(|name| !name.is_empty())?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// What the holder of the last grant said, unless another program's text has gone over it.
    fn info(&self) -> Option<String> {
        let (digest, wall) = (self.word(Field::TextDigest), self.word(Field::GrantedWall));
        text::info_of(&self.page[..TEXT_BYTES], digest, wall)
    }

    /// Whether the process of the last grant can be seen to run. One of another pid namespace
    /// cannot be looked for, and is taken to run.
    fn tenure(&self) -> Tenure {
        match self.word(Field::ReleasedMonotonic) {
            ABANDONED => Tenure::Abandoned,
            DETACHED => Tenure::Detached,
            KEPT => Tenure::Kept,
            _ if self.released_at().is_some() => Tenure::Released,
            _ if !self.identity().can_run(Process::this()) => Tenure::Died,
            _ if self.pid().is_some_and(|pid| mapping::was_left_by_exec(pid, self.inode)) => {
                Tenure::Died
            }
            _ => Tenure::Holds,
        }
    }

    /// When the last grant was given back, by the monotonic clock.
    pub(crate) fn released_at(&self) -> Option<u64> {
        Some(self.word(Field::ReleasedMonotonic))
            .filter(|end| !matches!(*end, 0 | ABANDONED | DETACHED | KEPT))
    }

    /// The last grant as a holder, as far as the record and `/proc` tell.
    pub(crate) fn last_holder(&self) -> Holder {
        self.holder(self.tenure(), KnownBy::Record)
    }

    /// The last grant, if it was made in another network namespace than `network`, and stands. `is_bound_at`
    /// tells of a lock that was left to a descriptor, whether it is still held where that process is.
    pub(crate) fn holder_elsewhere(
        &self,
        network: Network,
        is_bound_at: impl FnOnce(u32) -> bool,
    ) -> Option<Holder> {
        if !self.network().differs_from(network) {
            return None;
        }
        let holder = self.last_holder();
        // One whose pid means nothing here cannot be looked for.
        let pid = holder.pid?;
        let stands = holder.tenure == Tenure::Holds || (self.may_be_kept() && is_bound_at(pid));
        stands.then_some(holder)
    }

    fn network(&self) -> Network {
        Network::from_word(self.word(Field::Network))
    }

    /// The last grant, of which it is known that it does not stand any more in `network`.
    pub(crate) fn past_holder(&self, network: Network) -> Holder {
        if self.network().is(network) {
            self.ended_holder()
        } else {
            self.last_holder()
        }
    }

    /// The last grant, which stands, as is known by other means.
    pub(crate) fn present_holder(&self, known_by: KnownBy) -> Holder {
        let tenure = if self.is_kept() { Tenure::Kept } else { Tenure::Holds };
        self.holder(tenure, known_by)
    }

    /// The last grant, of which it is known that it does not stand any more.
    pub(crate) fn ended_holder(&self) -> Holder {
        match self.tenure() {
            Tenure::Holds => self.holder(Tenure::Died, KnownBy::Record),
            Tenure::Detached | Tenure::Kept => self.holder(Tenure::Released, KnownBy::Record),
            tenure => self.holder(tenure, KnownBy::Record),
        }
    }

    /// The last grant, if its holder left the lock taken.
    pub(crate) fn detached_holder(&self) -> Option<Holder> {
        let tenure = self.tenure();
        (tenure == Tenure::Detached).then(|| self.holder(tenure, KnownBy::Record))
    }

    /// Whether the last grant was made to the process of an owner word.
    pub(crate) fn is_about(&self, owner: Owner) -> bool {
        self.word(Field::Writer) == owner.process().0
    }

    fn holder(&self, tenure: Tenure, known_by: KnownBy) -> Holder {
        let granted = self.word(Field::GrantedMonotonic);
        let end = match tenure {
            Tenure::Released => self.released_at(),
            Tenure::Holds | Tenure::Detached | Tenure::Kept => Some(clock::monotonic()),
            _ => None, // when, nobody wrote down
        };
        Holder {
            pid: self.pid(),
            uid: Some(self.uid),
            command: self.command(),
            info: self.info(),
            thread: self.narrow(Field::Thread).filter(|thread| *thread != 0),
            since: SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_nanos(self.word(Field::GrantedWall))),
            stopped: false,
            held_for: end.and_then(|end| end.checked_sub(granted)).map(Duration::from_nanos),
            grants: NonZeroU64::new(self.word(Field::Sequence) / 2).filter(|_| !self.is_torn),
            tenure,
            known_by,
        }
    }
}

fn sequence(file: &File) -> Option<u64> {
    let mut word = [0; 8];
    read_exact_at(file, &mut word, Field::Sequence as u64 * 8).ok()?;
    Some(u64::from_ne_bytes(word))
}

#[cfg(test)]
mod tests;
