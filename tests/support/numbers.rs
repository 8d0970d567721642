//! A file of numbers that processes share, and of regions to be locked.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::fcntl::{fcntl, FcntlArg};
use nix::libc;

/// The locks are record locks of fcntl(2). The kernel takes those from a dying process when it closes its
/// descriptors. It frees the sockets only afterwards (`filp_close` and the deferred `__fput`), and makes the process a
/// zombie later still, so a region that is locked as a witness never outlives the lock that it is taken under.
#[derive(Debug)]
pub struct Numbers(File);

impl Numbers {
    /// So many, all 0.
    pub fn create(path: &Path, count: usize) -> Self {
        std::fs::write(path, vec![0; count * 8]).unwrap();
        Self::open(path)
    }

    pub fn open(path: &Path) -> Self {
        Self(OpenOptions::new().read(true).write(true).open(path).unwrap())
    }

    pub fn get(&self, index: u64) -> u64 {
        let mut number = [0; 8];
        self.0.read_exact_at(&mut number, index * 8).unwrap();
        u64::from_ne_bytes(number)
    }

    pub fn set(&self, index: u64, number: u64) {
        self.0.write_all_at(&number.to_ne_bytes(), index * 8).unwrap();
    }

    /// Locks the region; whether it was to be had.
    pub fn lock(&self, region: i32) -> bool {
        self.change(region, libc::F_WRLCK)
    }

    pub fn unlock(&self, region: i32) {
        self.change(region, libc::F_UNLCK);
    }

    fn change(&self, region: i32, kind: libc::c_int) -> bool {
        let region = libc::flock {
            l_type: kind.try_into().unwrap(),
            l_whence: libc::SEEK_SET.try_into().unwrap(),
            l_start: region.into(), // `off_t` has 32 bits where a word has
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&self.0, FcntlArg::F_SETLK(&region)).is_ok()
    }
}
