//! The record of a semaphore: one page for all users of the lock, with the [owner word](super::owner).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::layout::{Field, MAGIC, TEXT_BYTES, TEXT_WORDS, VERSION};
use super::owner::{Owner, Phase};
use super::write::{ABANDONED, DETACHED};
use super::{text, write, Grant, Snapshot};
use crate::info::Info;
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
    pub(crate) fn map(file: &File, can_be: impl Fn(Owner) -> bool) -> io::Result<Self> {
        let page = Self(SharedPage::map(file)?);
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
        let found = [Field::Writer, Field::Pid, Field::TextLimit].map(|it| (it, self.get(it)));
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
        self.swap(Field::Owner, from.0, to.0)
    }

    fn swap(&self, field: Field, from: u64, to: u64) -> bool {
        let word = field.of(self.0.get());
        word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
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

    /// Writes that the caller, who owns the lock still, gives it back at `now` of the coarse monotonic
    /// clock, which may be before the grant.
    pub(crate) fn write_release(&self, now: u64) {
        let end = now.max(self.get(Field::GrantedMonotonic)).max(1);
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

    /// Whether the text begins with the time, as one does by which a program says that it has taken the
    /// lock. Any program can set another text at any time (resourcelock's `set_lock_info`).
    pub(crate) fn text_has_time(&self) -> bool {
        text::is_stamped(&self.0[..TEXT_BYTES])
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
    let mut snapshot = Snapshot::take(file, 0)?;
    snapshot.uid = u32::try_from(snapshot.word(Field::Uid)).ok()?;
    (snapshot.name() == Some(name)).then_some(snapshot)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;

    use proptest::prelude::*;

    use super::*;
    use crate::holder::{Holder, KnownBy, Tenure};

    /// Texts of any bytes; of the form of resourcelock's with any digits; and with any bytes in it.
    fn texts() -> impl Strategy<Value = Vec<u8>> {
        const FORM: &[u8] = b"0000-00-00 00:00:00.000000 - ";

        let any_text = proptest::collection::vec(any::<u8>(), 0..PAGE_BYTES);
        let digits = proptest::collection::vec(b'0'..=b'9', FORM.len());
        let damage = proptest::collection::vec((0..FORM.len(), any::<u8>()), 0..3);
        let stamped = (digits, damage, any_text.clone()).prop_map(|(digits, damage, rest)| {
            let mut text: Vec<u8> = std::iter::zip(FORM, digits)
                .map(|(form, digit)| if *form == b'0' { digit } else { *form })
                .collect();
            for (at, byte) in damage {
                text[at] = byte;
            }
            text.extend(rest);
            text
        });
        prop_oneof![any_text, stamped]
    }

    fn copy_of(text: &[u8]) -> OwnedCopy {
        let mut copy = OwnedCopy::empty();
        let length = text.len().min(PAGE_BYTES);
        copy.0[..length].copy_from_slice(&text[..length]);
        copy
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_foreign_text_of_any_bytes_is_read_without_harm(text in texts()) {
            let copy = copy_of(&text);
            let (since, info) = copy.foreign_text();
            if let Some(since) = since {
                prop_assert!(since >= SystemTime::UNIX_EPOCH);
                let _ = since.elapsed();
            }
            let holder = Holder { info, since, ..Holder::unknown(Tenure::Holds, KnownBy::Text) };
            let shown = holder.to_string();
            prop_assert!(!shown.contains(char::is_control), "{:?}", shown);
            let _ = (copy.is_record(), copy.owner(), copy.numbers_of(copy.owner()), copy.text_is_an_owners());
        }
    }

    #[test]
    fn a_date_that_no_clock_shows_is_none() {
        for date in [
            "9999-12-31 23:59:59.999999",
            "2554-07-19 23:34:33.709551",
            "2600-01-01 00:00:00.000000",
        ] {
            let (since, info) = copy_of(format!("{date} - x").as_bytes()).foreign_text();
            assert_eq!(info.as_deref(), Some("x"), "{date}");
            let is_representable = date.starts_with("2554");
            assert_eq!(since.is_some(), is_representable, "{date}");
        }
    }

    /// A page with an owner word that nobody can have written, and bytes of another program.
    fn page_of_others() -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0x5a; PAGE_BYTES]).unwrap();
        file
    }

    fn grant(page: &OwnedPage) -> Process {
        let this = Process::this().unwrap();
        let owner = Owner::of(&this).that(Phase::Holds);
        assert!(page.swap_owner(page.owner(), owner));
        page.write_grant("bus", owner, || this, 1, Info::Text("x"));
        this
    }

    #[test]
    fn a_grant_made_while_another_opens_the_page_stays() {
        let file = page_of_others();
        // One is asked about the word of what it has seen to be no record, and takes its time.
        let is_asked = Cell::new(false);
        let late = OwnedPage::map(&file, |_| {
            if !is_asked.replace(true) {
                let early = OwnedPage::map(&file, |_| false).unwrap();
                assert_eq!(early.last_grant().pid, 0, "what was there is no grant");
                grant(&early);
            }
            false
        });
        let (late, this) = (late.unwrap(), Process::this().unwrap());
        assert_eq!(late.owner().pid(), this.pid);
        assert_eq!(late.last_grant().pid, this.pid, "its death would go untold");
        assert!(late.numbers_of(late.owner()).is_some());
    }

    #[test]
    fn who_finds_a_text_over_the_records_first_words_leaves_the_grant_of_a_live_process() {
        let file = page_of_others();
        let holder = OwnedPage::map(&file, |_| false).unwrap();
        let this = grant(&holder);
        // As long as that only the magic is gone.
        file.write_all_at(&[b'x'; TEXT_WORDS * 8 + 8], 0).unwrap();
        let other = OwnedPage::map(&file, |owner| owner.process() == Owner::of(&this)).unwrap();
        assert_eq!(other.owner().pid(), this.pid);
        assert_eq!(other.last_grant().pid, this.pid);
        // Of a process that cannot live, nothing is kept.
        file.write_all_at(&[b'x'; TEXT_WORDS * 8 + 8], 0).unwrap();
        let other = OwnedPage::map(&file, |_| false).unwrap();
        assert!(other.owner().is_nobody());
        assert_eq!(other.last_grant().pid, 0);
    }
}
