//! Removing the files of locks whose names are written in the source of a test.

use std::fs::{self, File};
use std::sync::OnceLock;

use nix::fcntl::{Flock, FlockArg};

/// What the names of this binary's locks begin with, and what keeps other runs away that would lose
/// their files.
static MINE: OnceLock<(&[&str], Flock<File>)> = OnceLock::new();

/// Removes, when this process exits, the files in `/dev/shm` of the locks whose names begin so, as
/// they stand in the names of files. Until then another run of the same `test` waits here.
pub(crate) fn remove_at_exit(test: &str, beginnings: &'static [&'static str]) {
    MINE.get_or_init(|| {
        // SAFETY: the function lives as long as the process, and does not unwind (atexit(3)).
        assert_eq!(unsafe { nix::libc::atexit(remove) }, 0);
        let path = std::env::temp_dir().join(format!("lockattr-tests-{test}"));
        let file = File::create(path).unwrap();
        (beginnings, Flock::lock(file, FlockArg::LockExclusive).unwrap())
    });
}

extern "C" fn remove() {
    let beginnings = MINE.get().map_or(&[][..], |(beginnings, _)| beginnings);
    let is_one = |file: &str| {
        let record = file.strip_prefix("lockattr.").and_then(|rest| rest.split_once('.'));
        let name = record.map_or(file, |(_, name)| name);
        let name = name.strip_prefix("sem.").unwrap_or(name);
        beginnings.iter().any(|beginning| name.starts_with(beginning))
    };
    for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_one) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
