//! Removing the files of locks whose names are written in the source of a test.

use std::fs;
use std::sync::OnceLock;

/// What the names of this binary's locks begin with.
static BEGINNINGS: OnceLock<&[&str]> = OnceLock::new();

/// Removes, when this process exits, the files in `/dev/shm` of the locks whose names begin so, as
/// they stand in the names of files. Another run of the same binary must not use them meanwhile.
pub(crate) fn remove_at_exit(beginnings: &'static [&'static str]) {
    if BEGINNINGS.set(beginnings).is_ok() {
        // SAFETY: the function lives as long as the process, and does not unwind (atexit(3)).
        assert_eq!(unsafe { nix::libc::atexit(remove) }, 0);
    }
}

extern "C" fn remove() {
    let beginnings = BEGINNINGS.get().copied().unwrap_or_default();
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
