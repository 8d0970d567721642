//! The record of a semaphore: one page for all users of the lock, with the [owner word](super::owner).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::layout::{Field, MAGIC, TEXT_BYTES, TEXT_WORDS, VERSION};
use super::owner::Owner;
use super::write::{ABANDONED, DETACHED};
use super::{text, write, Grant, Snapshot};
use crate::info::Info;
use crate::sys::clock;
use crate::sys::mapping::{SharedPage, PAGE_BYTES};
use crate::sys::process::Process;

/// The page, mapped by one who uses the lock.
#[derive(Debug)]
pub(crate) struct OwnedPage(SharedPage);

/// What an owner word has not enough bits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) start_time: u64,
    pub(crate) pid_space: u64,
    pub(crate) image: u64,
}

impl OwnedPage {
    /// Maps the page in `file`, which must have [`PAGE_BYTES`]. What another program has written there
    /// is made a record; an owner word in it stands if it `can_be` one.
    pub(crate) fn map(file: &File, can_be: impl FnOnce(Owner) -> bool) -> io::Result<Self> {
        let page = Self(SharedPage::map(file)?);
        // The word first: another process that makes this page a record does so before it takes a word.
        // So a word of that process is never taken for one that was there before.
        let owner = page.owner();
        if !page.is_record() {
            if !owner.is_nobody() && !can_be(owner) {
                page.swap_owner(owner, Owner::NOBODY);
            }
            for field in [Field::Pid, Field::Writer, Field::TextLimit] {
                page.put(field, 0);
            }
            page.put(Field::Version, VERSION);
            page.put(Field::Magic, MAGIC);
        }
        Ok(page)
    }

    fn get(&self, field: Field) -> u64 {
        field.of(self.0.get()).load(Ordering::Acquire)
    }

    fn put(&self, field: Field, value: u64) {
        field.of(self.0.get()).store(value, Ordering::Release);
    }

    /// Whether nobody has written over it, as a text of more than 3,583 bytes would.
    pub(crate) fn is_record(&self) -> bool {
        self.get(Field::Magic) == MAGIC && self.get(Field::Version) == VERSION
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner(self.get(Field::Owner))
    }

    pub(crate) fn swap_owner(&self, from: Owner, to: Owner) -> bool {
        let word = Field::Owner.of(self.0.get());
        word.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether the text is the one that the last owner wrote who wrote one.
    pub(crate) fn text_is_an_owners(&self) -> bool {
        let words = self.0.get()[..TEXT_WORDS].iter().map(|word| word.load(Ordering::Acquire));
        text::digest(words) == self.get(Field::TextDigest)
    }

    /// The numbers of the process of `owner`, if the record is about that one.
    pub(crate) fn numbers_of(&self, owner: Owner) -> Option<Numbers> {
        let is_about_owner = || self.get(Field::Writer) == owner.process().0;
        let before = self.get(Field::Sequence);
        let found = is_about_owner().then(|| Numbers {
            start_time: self.get(Field::StartTime),
            pid_space: self.get(Field::PidSpace),
            image: self.get(Field::Image),
        })?;
        // Nobody else began to write meanwhile. (The owner itself would write the same numbers.)
        (is_about_owner() && self.get(Field::Sequence) == before).then_some(found)
    }

    /// Some program has mapped no more than `bytes` of what was a smaller object: whoever reads the text
    /// there must find its end.
    /// (A resourcelock program that has mapped less than its time needs can do nothing with it.)
    pub(crate) fn limit_text(&self, bytes: usize) {
        if bytes > text::STAMP_BYTES {
            self.put(Field::TextLimit, bytes as u64);
        }
    }

    /// Writes that `owner`, the caller, was granted the lock `name` at `now`. What is not there yet of a
    /// record, `process` tells.
    pub(crate) fn write_grant(
        &self,
        name: &str,
        owner: Owner,
        process: impl FnOnce() -> Process,
        now: u64,
        info: Info<'_>,
    ) {
        let limit = match self.get(Field::TextLimit) {
            0 => TEXT_BYTES,
            limit => usize::try_from(limit).unwrap_or(TEXT_BYTES),
        };
        write::grant(self.0.get(), limit, name, owner.process(), process, now, info);
    }

    /// Writes that the caller, who owns the lock still, gives it back.
    pub(crate) fn write_release(&self) {
        // To a tick of the kernel's clock: this is on the way of every release, which wins a fifth by it.
        let end = clock::monotonic_coarse().max(self.get(Field::GrantedMonotonic)).max(1);
        write::end(self.0.get(), end);
    }

    /// Writes that the caller, who owns the lock still, gives it back as if it had died.
    pub(crate) fn write_abandonment(&self) {
        write::end(self.0.get(), ABANDONED);
    }

    /// Writes that the caller, who owns the lock still, leaves it taken.
    pub(crate) fn write_detachment(&self) {
        write::end(self.0.get(), DETACHED);
    }

    pub(crate) fn last_grant(&self) -> Grant {
        Grant::read(self.0.get())
    }
}

/// A copy of the page, read by one who only looks. By `pread`, as every look at a record is.
#[derive(Debug)]
pub(crate) struct OwnedCopy(Box<[u8; PAGE_BYTES]>);

impl OwnedCopy {
    /// Of a page that nobody has made yet.
    pub(crate) fn empty() -> Self {
        Self(Box::new([0; PAGE_BYTES]))
    }

    /// Reads as much of the page as `file` has; the rest is zero.
    pub(crate) fn read(file: &File) -> io::Result<Self> {
        let mut page = Self::empty().0;
        let mut filled = 0;
        while filled < PAGE_BYTES {
            match file.read_at(&mut page[filled..], filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self(page))
    }

    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_ne_bytes))
    }

    fn get(&self, field: Field) -> u64 {
        self.words().nth(field as usize).unwrap_or(0)
    }

    /// See [`OwnedPage::is_record`].
    pub(crate) fn is_record(&self) -> bool {
        self.get(Field::Magic) == MAGIC && self.get(Field::Version) == VERSION
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner(self.get(Field::Owner))
    }

    /// See [`OwnedPage::text_is_an_owners`].
    pub(crate) fn text_is_an_owners(&self) -> bool {
        text::digest(self.words().take(TEXT_WORDS)) == self.get(Field::TextDigest)
    }

    /// See [`OwnedPage::numbers_of`].
    pub(crate) fn numbers_of(&self, owner: Owner) -> Option<Numbers> {
        let is_whole = self.get(Field::Sequence) % 2 == 0;
        (is_whole && self.get(Field::Writer) == owner.process().0).then(|| Numbers {
            start_time: self.get(Field::StartTime),
            pid_space: self.get(Field::PidSpace),
            image: self.get(Field::Image),
        })
    }

    /// What another program's text says: since when, and what.
    pub(crate) fn foreign_text(&self) -> (Option<SystemTime>, Option<String>) {
        let text = &self.0[..TEXT_BYTES];
        let since = text::time(text)
            .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(since)));
        let info = text::info(text).unwrap_or_else(|| text::whole(text));
        (since, Some(info).filter(|info| !info.is_empty()))
    }
}

/// The last grant that the record in `file` tells of; none if it is none of the lock `name`.
pub(crate) fn snapshot(file: &File, name: &str) -> Option<Snapshot> {
    let mut snapshot = Snapshot::take(file, 0).filter(|it| it.word(Field::Pid) != 0)?;
    snapshot.uid = u32::try_from(snapshot.word(Field::Uid)).ok()?;
    (snapshot.name() == Some(name)).then_some(snapshot)
}
