//! Names of port locks whose records are removed.

use std::fmt;
use std::ops::Deref;

/// A lock's name that no other test and no other run uses. This user's record of it goes with it.
#[derive(Debug)]
pub struct Recorded(String);

impl Recorded {
    pub fn name(what: &str) -> Self {
        Self(super::unique_name(what))
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let record = format!("/dev/shm/lockattr.{}.{}", nix::unistd::geteuid(), self.0);
        let _ = std::fs::remove_file(record); // there may be none
    }
}

impl Deref for Recorded {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
