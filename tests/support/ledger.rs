//! What the processes of a storm write down, to be compared with what should be.

use std::path::Path;
use std::time::{Duration, Instant};

use lockattr::{Lock, LockError, LockGuard};

use super::numbers::Numbers;

/// What the processes of a storm share.
#[derive(Debug)]
pub struct Ledger(Numbers);

/// Where the numbers are.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// How often somebody was in the body to its end.
    Acquisitions,
    /// Two holders at once.
    Violations,
    /// The process that is in the body, 0 if none is.
    Inside,
    /// Those that died in the body.
    Deaths,
    /// Those of whose death the next holder was not told.
    Unnoticed,
    /// Locks whose holder died in the very moment of taking them.
    Orphans,
}

/// Regions of the file: the witness of a holder, and the right to heal an orphaned lock.
const WITNESS: i32 = 0;
const HEALER: i32 = 1;

impl Ledger {
    pub fn create(path: &Path) -> Self {
        Self(Numbers::create(path, Entry::Orphans as usize + 1))
    }

    pub fn open(path: &str) -> Self {
        Self(Numbers::open(Path::new(path)))
    }

    pub fn get(&self, entry: Entry) -> u64 {
        self.0.get(entry as u64)
    }

    pub fn set(&self, entry: Entry, number: u64) {
        self.0.set(entry as u64, number);
    }

    pub fn count(&self, entry: Entry) {
        self.set(entry, self.get(entry) + 1);
    }

    /// What happens under the lock.
    pub fn body(&self, guard: &LockGuard, spin_for: Duration) {
        if !self.0.lock(WITNESS) {
            self.count(Entry::Violations);
        }
        if self.get(Entry::Inside) != 0 {
            self.count(Entry::Deaths);
            // Of whose death does not matter: the next one may have died before it came here.
            if guard.recovered_from().is_none() {
                self.count(Entry::Unnoticed);
            }
        }
        self.set(Entry::Inside, std::process::id().into());
        let acquisitions = self.get(Entry::Acquisitions);
        spin(spin_for);
        self.set(Entry::Acquisitions, acquisitions + 1);
        self.set(Entry::Inside, 0);
        self.0.unlock(WITNESS);
    }

    /// Frees a lock whose holder died in the very moment of taking it. One process does.
    fn heal(&self, lock: &Lock) {
        if self.0.lock(HEALER) {
            if matches!(lock.try_acquire(), Err(LockError::Orphaned { .. })) {
                self.count(Entry::Orphans);
                assert!(lock.force_release().unwrap());
            }
            self.0.unlock(HEALER);
        }
    }

    pub fn acquire(&self, lock: &Lock) -> LockGuard {
        loop {
            match lock.acquire(Duration::from_secs(2)) {
                Ok(guard) => return guard,
                Err(LockError::Orphaned { .. }) => self.heal(lock),
                Err(LockError::Timeout { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Uses up time without sleeping.
pub fn spin(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {
        std::hint::spin_loop();
    }
}
