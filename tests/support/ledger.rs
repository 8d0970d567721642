//! What the processes of a storm write down, to be compared with what should be.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use lockattr::{Lock, LockError, LockGuard};
use nix::fcntl::{fcntl, FcntlArg};
use nix::libc;

/// What the processes of a storm share: a file of a few numbers, and of regions to be locked.
///
/// The witness is a record lock of fcntl(2). The kernel takes those from a dying process when it
/// closes its descriptors. It frees the sockets only afterwards (`filp_close` and the deferred
/// `__fput`), and makes the process a zombie later still, so a witness never outlives the lock that it
/// is taken under.
#[derive(Debug)]
pub struct Ledger(File);

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
const WITNESS: i64 = 0;
const HEALER: i64 = 1;

impl Ledger {
    pub fn create(path: &std::path::Path) -> Self {
        std::fs::write(path, [0; 48]).unwrap();
        Self::open(path.to_str().unwrap())
    }

    pub fn open(path: &str) -> Self {
        Self(OpenOptions::new().read(true).write(true).open(path).unwrap())
    }

    pub fn get(&self, entry: Entry) -> u64 {
        let mut number = [0; 8];
        self.0.read_exact_at(&mut number, entry as u64 * 8).unwrap();
        u64::from_ne_bytes(number)
    }

    pub fn set(&self, entry: Entry, number: u64) {
        self.0.write_all_at(&number.to_ne_bytes(), entry as u64 * 8).unwrap();
    }

    pub fn count(&self, entry: Entry) {
        self.set(entry, self.get(entry) + 1);
    }

    /// Whether it was to be had.
    fn lock(&self, region: i64, kind: libc::c_int) -> bool {
        let region = libc::flock {
            l_type: kind.try_into().unwrap(),
            l_whence: libc::SEEK_SET.try_into().unwrap(),
            l_start: region,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&self.0, FcntlArg::F_SETLK(&region)).is_ok()
    }

    /// What happens under the lock.
    pub fn body(&self, guard: &LockGuard, spin_for: Duration) {
        if !self.lock(WITNESS, libc::F_WRLCK) {
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
        self.lock(WITNESS, libc::F_UNLCK);
    }

    /// Frees a lock whose holder died in the very moment of taking it. One process does.
    fn heal(&self, lock: &Lock) {
        if self.lock(HEALER, libc::F_WRLCK) {
            if matches!(lock.try_acquire(), Err(LockError::Orphaned { .. })) {
                self.count(Entry::Orphans);
                assert!(lock.force_release().unwrap());
            }
            self.lock(HEALER, libc::F_UNLCK);
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
