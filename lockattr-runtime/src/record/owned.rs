//! The record of a semaphore: one page for all users of the lock, with the [owner word](super::owner).

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::layout::{self, Field, MAGIC, TEXT_BYTES, TEXT_WORDS, VERSION};
use super::owner::{Owner, Phase};
use super::write::{ABANDONED, DETACHED};
use super::{text, write, Grant, Snapshot};
use crate::info::Info;
use crate::sys::clock;
use crate::sys::mapping::{self, SharedPage, PAGE_BYTES};
use crate::sys::process::{Identity, Process};
use crate::sys::thread::Thread;

/// The page, mapped by one who uses the lock.
#[derive(Debug)]
pub(crate) struct OwnedPage {
    page: SharedPage,
    inode: u64,
    /// When [`was_left_by_exec`](Self::was_left_by_exec) looked last, by the monotonic clock.
    looked: AtomicU64,
}

/// What the record tells of the process of an owner word, which has not enough bits for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded {
    pub(crate) identity: Identity,
    /// See [`Process::random`].
    pub(crate) random: u64,
}

impl Recorded {
    fn read(get: impl Fn(Field) -> u64) -> Self {
        Self { random: get(Field::Random), identity: layout::identity(get) }
    }
}

impl OwnedPage {
    /// Maps the page in `file`, which must have [`PAGE_BYTES`]. What another program has written there
    /// is made a record; an owner word in it stands if it `can_be` one.
    pub(crate) fn map(file: &File, can_be: impl Fn(Owner) -> bool) -> io::Result<Self> {
        let inode = file.metadata()?.ino();
        let page = Self { page: SharedPage::map(file)?, inode, looked: AtomicU64::new(0) };
        page.make_record(can_be);
        Ok(page)
    }

    /// Others may do the same at the same time, and one that has it done may hold the lock by now and have
    /// written its grant. That must stay. So all is read first, and changed only where it is still what
    /// was read:
    /// - A process that writes a word or a grant has put the magic before, and a release comes between (the
    ///   swap, the fence of [`Writing`](super::layout::Writing)). So a reader of anything of the grant sees the
    ///   magic afterwards, and stops.
    /// - What was read by one that does not see the magic is older than the grant, and its swap fails.
    /// - Equal would be the numbers of a process that writes them a second time: one that has used the page
    ///   before, until a long text went over the magic. While it can live, its numbers stand.
    fn make_record(&self, can_be: impl Fn(Owner) -> bool) {
        let owner = self.owner();
        let fields = [Field::Writer, Field::Pid, Field::TextLimit, Field::Waiting];
        let found = fields.map(|it| (it, self.get(it)));
        if self.is_record() {
            return;
        }
        if !owner.is_nobody() && !can_be(owner) {
            self.swap_owner(owner, Owner::NOBODY);
        }
        let [(_, writer), ..] = found;
        if writer == 0 || !can_be(Owner(writer).that(Phase::Holds)) {
            for (field, value) in found {
                self.swap(field, value, 0);
            }
        }
        self.put(Field::Version, VERSION);
        self.put(Field::Magic, MAGIC);
    }

    fn get(&self, field: Field) -> u64 {
        field.of(self.page.get()).load(Ordering::Acquire)
    }

    fn put(&self, field: Field, value: u64) {
        field.of(self.page.get()).store(value, Ordering::Release);
    }

    /// Whether nobody has written over it, as a text of more than 3,583 bytes would.
    pub(crate) fn is_record(&self) -> bool {
        self.get(Field::Magic) == MAGIC && self.get(Field::Version) == VERSION
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner(self.get(Field::Owner))
    }

    pub(crate) fn swap_owner(&self, from: Owner, to: Owner) -> bool {
        self.swap(Field::Owner, from.0, to.0)
    }

    fn swap(&self, field: Field, from: u64, to: u64) -> bool {
        let word = field.of(self.page.get());
        word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether the text is the one that the last owner wrote who wrote one, or one that an owner has
    /// yet to write.
    pub(crate) fn text_is_an_owners(&self) -> bool {
        let words = self.page.get()[..TEXT_WORDS].iter().map(|word| word.load(Ordering::Acquire));
        text::is_an_owners(words, self.get(Field::TextDigest))
    }

    /// Makes the text an owner's that has yet to write it.
    pub(crate) fn mark_text(&self) {
        text::mark(self.page.get());
    }

    /// Writes that `owner`, the caller, has a unit of the semaphore in the file of this inode.
    pub(crate) fn sign(&self, owner: Owner, inode: u64) {
        self.put(Field::Signature, signature(owner, inode));
    }

    /// Writes that the caller, who owns the lock, has a unit of no semaphore.
    pub(crate) fn unsign(&self) {
        self.put(Field::Signature, 0);
    }

    /// Whether `owner` has written that it has a unit of the semaphore in the file of this inode.
    pub(crate) fn has_signed(&self, owner: Owner, inode: u64) -> bool {
        self.get(Field::Signature) == signature(owner, inode)
    }

    /// When the head of the waiters looked last; 0 if none waits. It is not to be relied on.
    #[inline]
    pub(crate) fn waiting(&self) -> u64 {
        Field::Waiting.of(self.page.get()).load(Ordering::Relaxed)
    }

    /// Writes that the caller is the head of the waiters and looks at `now`.
    pub(crate) fn note_waiting(&self, now: u64) {
        Field::Waiting.of(self.page.get()).store(now, Ordering::Relaxed);
    }

    /// Writes that none waits, unless a head has looked since `last`.
    pub(crate) fn clear_waiting(&self, last: u64) {
        self.swap(Field::Waiting, last, 0);
    }

    /// What the record tells of the process of `owner`, if it is about that one.
    pub(crate) fn recorded(&self, owner: Owner) -> Option<Recorded> {
        let is_about_owner = || self.get(Field::Writer) == owner.process().0;
        let before = self.get(Field::Sequence);
        let found = is_about_owner().then(|| Recorded::read(|field| self.get(field)))?;
        // Nobody else began to write meanwhile. (The owner itself would write the same numbers.)
        (is_about_owner() && self.get(Field::Sequence) == before).then_some(found)
    }

    /// Whether the process `pid`, which runs and has the same addresses as the owner, has executed
    /// another program since: it has mapped this page no more. Looks every 100 ms at most, and says
    /// otherwise that it has not: the kernel makes the list of its mappings anew each time.
    pub(crate) fn was_left_by_exec(&self, pid: u32) -> bool {
        const BETWEEN_LOOKS: u64 = 100_000_000;

        let (now, looked) = (clock::monotonic(), self.looked.load(Ordering::Relaxed));
        if looked != 0 && now.saturating_sub(looked) < BETWEEN_LOOKS {
            return false;
        }
        self.looked.store(now, Ordering::Relaxed);
        mapping::was_left_by_exec(pid, self.inode)
    }

    /// The word of a program that ran in `this` process before `exec`, if that is the owner, and its word
    /// is no other than one of `this` would be. Then nothing but the record tells.
    pub(crate) fn left_before_exec(&self, this: &Process) -> Option<Owner> {
        let owner = self.owner();
        let is_same = owner.process() == Owner::of(&this.identity) && owner.phase().is_some();
        let is_before = |recorded: Recorded| recorded.random != this.random;
        (is_same && self.recorded(owner).is_some_and(is_before)).then_some(owner)
    }

    /// Some program has mapped no more than `bytes` of what was a smaller object: a program that reads
    /// the text there must find its end.
    /// (A resourcelock program that has mapped less than its time needs can do nothing with it.)
    pub(crate) fn limit_text(&self, bytes: usize) {
        if bytes > text::STAMP_BYTES {
            self.put(Field::TextLimit, bytes as u64);
        }
    }

    /// Writes that this process, which owns the lock `name`, was granted it at `now`.
    #[inline]
    pub(crate) fn write_grant(&self, name: &str, now: u64, info: Info<'_>, by: Thread) {
        write::grant(self.page.get(), self.text_limit(), name, None, now, info, by);
    }

    /// Writes another text for the caller, who owns the lock; not over one that is no owner's. Whether others see
    /// it.
    pub(crate) fn write_info(&self, info: Info<'_>) -> bool {
        let words = self.page.get();
        let first = words[0].load(Ordering::Acquire);
        self.text_is_an_owners() && write::info(words, self.text_limit(), first, info)
    }

    #[inline]
    fn text_limit(&self) -> usize {
        match self.get(Field::TextLimit) {
            0 => TEXT_BYTES,
            limit => usize::try_from(limit).unwrap_or(TEXT_BYTES),
        }
    }

    /// Writes that the caller, who owns the lock still, gives it back at `now` of the coarse monotonic
    /// clock, which may be before the grant.
    pub(crate) fn write_release(&self, now: u64) {
        let end = now.max(self.get(Field::GrantedMonotonic)).max(1);
        write::end(self.page.get(), end);
    }

    /// Writes that the caller, who owns the lock still, gives it back as if it had died.
    pub(crate) fn write_abandonment(&self) {
        write::end(self.page.get(), ABANDONED);
    }

    /// Writes that the caller, who owns the lock still, leaves it taken.
    pub(crate) fn write_detachment(&self) {
        write::end(self.page.get(), DETACHED);
    }

    pub(crate) fn last_grant(&self) -> Grant {
        Grant::read(self.page.get())
    }

    /// As [`Grant::is_in_order`], by one word where it is.
    #[inline]
    pub(crate) fn is_in_order(&self) -> bool {
        let released = Field::ReleasedMonotonic.of(self.page.get()).load(Ordering::Relaxed);
        write::is_release(released) || self.last_grant().is_in_order()
    }
}

/// Owner and inode in one word: no reader finds the one without the other. The factor is odd, so that
/// two inodes have two signatures, and spreads the few bits of an inode over those of the owner word.
fn signature(owner: Owner, inode: u64) -> u64 {
    owner.0 ^ inode.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A copy of the page, read by one who only looks. By `pread`, as every look at a record is.
#[derive(Debug)]
pub(crate) struct OwnedCopy {
    page: Box<[u8; PAGE_BYTES]>,
    inode: u64,
}

impl OwnedCopy {
    /// Of a page that nobody has made yet.
    pub(crate) fn empty() -> Self {
        Self { page: Box::new([0; PAGE_BYTES]), inode: 0 }
    }

    /// Reads as much of the page as `file` has; the rest is zero.
    pub(crate) fn read(file: &File) -> io::Result<Self> {
        let inode = file.metadata()?.ino();
        let mut page = Self::empty().page;
        let mut filled = 0;
        while filled < PAGE_BYTES {
            match file.read_at(&mut page[filled..], filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { page, inode })
    }

    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        self.page.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_ne_bytes))
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
        text::is_an_owners(self.words().take(TEXT_WORDS), self.get(Field::TextDigest))
    }

    /// See [`OwnedPage::recorded`].
    pub(crate) fn recorded(&self, owner: Owner) -> Option<Recorded> {
        let is_whole = self.get(Field::Sequence) % 2 == 0;
        (is_whole && self.get(Field::Writer) == owner.process().0)
            .then(|| Recorded::read(|field| self.get(field)))
    }

    /// See [`OwnedPage::was_left_by_exec`].
    pub(crate) fn was_left_by_exec(&self, pid: u32) -> bool {
        mapping::was_left_by_exec(pid, self.inode)
    }

    /// Whether the text begins with the time, as one does by which a program says that it has taken the
    /// lock. Any program can set another text at any time (resourcelock's `set_lock_info`).
    pub(crate) fn text_has_time(&self) -> bool {
        text::is_stamped(&self.page[..TEXT_BYTES])
    }

    /// What another program's text says: since when, and what.
    pub(crate) fn foreign_text(&self) -> (Option<SystemTime>, Option<String>) {
        let text = &self.page[..TEXT_BYTES];
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

#[cfg(test)]
mod tests;
