//! What the processes of a storm write down, to be compared with what should be.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lockattr::LockGuard;
use nix::time::{clock_gettime, ClockId};

use crate::support::ledger::spin;
use crate::support::numbers::Numbers;

/// Numbers, and a region that is the witness of who is inside. `exec` closes this descriptor before the sockets, as
/// death does.
#[derive(Debug)]
pub(crate) struct Log {
    numbers: Numbers,
    /// Whether a thread of this process is inside: a record lock is its process's.
    is_inside: AtomicBool,
}

/// Where the numbers are. `tests/python/storm.py` knows those it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    /// How often a process was in the body to its end.
    Acquisitions,
    /// Two holders at once.
    Violations,
    /// The process that is in the body, 0 if none is. With [`LEAVES`] added, it has let go in another way than by
    /// a release.
    Inside,
    /// When that one began to acquire.
    InsideSince,
    /// Those that died in the body.
    Deaths,
    /// Those of whose death the next holder was not told.
    Unnoticed,
    /// As `Unnoticed`, where [the record may have been removed](Log::may_be_unrecorded).
    Excused,
    /// When files of the lock were removed last.
    Removed,
    /// Locks whose holder died in the very moment of taking them.
    Orphans,
    /// How often a process of Python was in the body.
    Python,
    /// How often another program was said to have a TCP lock's ports. Nothing tells that of a process that is stopped
    /// with one port in hand: so it is rare, and not never.
    Accused,
    /// So many are there.
    Entries,
}

pub(crate) const LEAVES: u64 = 1 << 32;

/// Nanoseconds for which a process may write its grant to a record that was removed: it looks once in so many whether
/// the file is there still (`CHECKED` in the runtime's `record/file.rs`).
const UNNOTICED: u64 = 10_000_000;

/// Regions behind the numbers: the witness, and the right to heal an orphaned lock.
const WITNESS: i32 = 1000;
const HEALER: i32 = 1001;

/// Nanoseconds of the monotonic clock.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
    Duration::from(now).as_nanos().try_into().unwrap()
}

impl Log {
    pub(crate) fn create(path: &Path) -> Self {
        Self::of(Numbers::create(path, Entry::Entries as usize))
    }

    pub(crate) fn open(path: &Path) -> Self {
        Self::of(Numbers::open(path))
    }

    fn of(numbers: Numbers) -> Self {
        Self { numbers, is_inside: AtomicBool::new(false) }
    }

    pub(crate) fn get(&self, entry: Entry) -> u64 {
        self.numbers.get(entry as u64)
    }

    pub(crate) fn set(&self, entry: Entry, number: u64) {
        self.numbers.set(entry as u64, number);
    }

    pub(crate) fn count(&self, entry: Entry) {
        self.set(entry, self.get(entry) + 1);
    }

    /// Comes into the body, with a guard that was asked for at `since`.
    pub(crate) fn enter(&self, guard: &LockGuard, since: u64) {
        if self.is_inside.swap(true, Ordering::AcqRel) || !self.numbers.lock(WITNESS) {
            self.count(Entry::Violations);
        }
        if self.get(Entry::Inside) != 0 {
            self.count(Entry::Deaths);
            // Of whose death does not matter: the next one may have died before it came here.
            if guard.recovered_from().is_none() {
                let is_removed = self.may_be_unrecorded();
                self.count(if is_removed { Entry::Excused } else { Entry::Unnoticed });
            }
        }
        self.set(Entry::InsideSince, since);
        self.set(Entry::Inside, std::process::id().into());
    }

    /// Whether the one that is inside may have written so to a record that has lost its name: in its time, or so shortly
    /// before that it did not know.
    pub(crate) fn may_be_unrecorded(&self) -> bool {
        self.get(Entry::Removed) + UNNOTICED >= self.get(Entry::InsideSince)
    }

    /// Leaves the body.
    pub(crate) fn leave(&self) {
        self.count(Entry::Acquisitions);
        self.set(Entry::Inside, 0);
        self.is_inside.store(false, Ordering::Release);
        self.numbers.unlock(WITNESS);
    }

    /// From here on the process that is inside, this one, is no holder: it executes another program, or ends.
    pub(crate) fn leave_for_good(&self) {
        self.set(Entry::Inside, LEAVES | u64::from(std::process::id()));
    }

    pub(crate) fn body(&self, guard: &LockGuard, since: u64, spin_for: Duration) {
        self.enter(guard, since);
        spin(spin_for);
        self.leave();
    }

    /// This process is a child of one that may be inside, and is not inside itself.
    pub(crate) fn in_a_child(&self) {
        self.is_inside.store(false, Ordering::Release);
    }

    /// Runs `heal` in one process at a time; others do nothing meanwhile.
    pub(crate) fn heal(&self, heal: impl FnOnce()) {
        if self.numbers.lock(HEALER) {
            heal();
            self.numbers.unlock(HEALER);
        }
    }
}
