//! Names of locks that clean up after themselves.

use std::fmt;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a semaphore's name ends with here: so a name alone tells a role which lock is meant.
pub(super) const SEMAPHORE: &str = ".semaphore";

/// As [`SEMAPHORE`], of a TCP lock's.
pub(super) const TCP: &str = ".tcp";

/// A lock's name that no other test and no other run uses. When it is dropped, what is left in
/// `/dev/shm` of all locks whose names begin with it is removed: no process may use them any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// A name that no other test and no other run uses.
pub fn unique_name(what: &str) -> Name {
    static NAMES: AtomicU32 = AtomicU32::new(0);
    let number = NAMES.fetch_add(1, Ordering::Relaxed);
    Name(format!("test-{what}-{}-{number}.", std::process::id()))
}

/// As [`unique_name`], for the semaphore backend.
pub fn unique_semaphore(what: &str) -> Name {
    unique_name_with(what, SEMAPHORE)
}

/// As [`unique_name`], for the TCP backend.
pub fn unique_tcp(what: &str) -> Name {
    unique_name_with(what, TCP)
}

fn unique_name_with(what: &str, end: &str) -> Name {
    let mut name = unique_name(what);
    name.0.truncate(name.0.len() - 1);
    name.0.push_str(end);
    name
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for Name {
    fn as_ref(&self) -> &Path {
        self.0.as_ref()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // A semaphore, its record, and the records that users keep of a port lock.
        let begins = |file: &str| {
            let record = || file.strip_prefix("lockattr.")?.split_once('.').map(|(_, name)| name);
            [Some(file), file.strip_prefix("sem."), record()]
                .into_iter()
                .flatten()
                .any(|name| name.starts_with(&**self))
        };
        for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(begins) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
