//! All that is measured.

/// A lock, or a way to use one.
#[derive(Debug)]
pub(crate) struct Entry {
    /// As its worker is called.
    pub(crate) id: &'static str,
    /// As the report calls it.
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    /// How it waits for its turn.
    pub(crate) waits: &'static str,
    pub(crate) parts: Parts,
    /// The bare calls that it stands on, and cannot be cheaper than.
    pub(crate) floor: &'static str,
}

/// Who it is, and so where its worker comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lockattr,
    /// A crate: a program of `peers/`.
    Rust,
    /// `peers/peers.py`, with this requirement of pip.
    Python(&'static str),
    /// Bare system calls, or the standard library.
    Floor,
}

/// In how much of the bench it takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Parts {
    /// It is measured without contention only.
    Alone,
    /// It is also woken, contended for, and its holder killed.
    Contended,
    /// It takes part in the whole grid of contention: one for each way to wait.
    Grid,
}

const fn entry(
    id: &'static str,
    label: &'static str,
    kind: Kind,
    waits: &'static str,
    parts: Parts,
    floor: &'static str,
) -> Entry {
    Entry { id, label, kind, waits, parts, floor }
}

use Kind::{Floor, Lockattr, Python, Rust};
use Parts::{Alone, Contended, Grid};

const QUEUE: &str = "in a queue";
const FLOCK: &str = "in `flock`";
const CONNECTED: &str = "connected";

/// The one that ratios are stated to.
pub(crate) const FLOCK_ID: &str = "raw-flock";
const SEMAPHORE_ID: &str = "raw-semaphore";
const SOCKET_ID: &str = "raw-socket";
const TCP_ID: &str = "raw-tcp";
/// The floor of a wake.
pub(crate) const PIPE_ID: &str = "raw-pipe";

/// In the order of the report.
#[rustfmt::skip] // a table
pub(crate) const FIELD: &[Entry] = &[
    entry("semaphore", "lockattr semaphore", Lockattr, QUEUE, Grid, SEMAPHORE_ID),
    entry("semaphore-attribute", "lockattr semaphore, attribute", Lockattr, QUEUE, Alone, SEMAPHORE_ID),
    entry("semaphore-info", "lockattr semaphore, attribute with `info`", Lockattr, QUEUE, Alone, SEMAPHORE_ID),
    entry("semaphore-captured", "lockattr semaphore, attribute, captured name", Lockattr, QUEUE, Alone, SEMAPHORE_ID),
    entry("semaphore-async", "lockattr semaphore, attribute on `async fn`", Lockattr, QUEUE, Alone, SEMAPHORE_ID),
    entry("port", "lockattr port", Lockattr, QUEUE, Grid, SOCKET_ID),
    entry("port-attribute", "lockattr port, attribute", Lockattr, QUEUE, Alone, SOCKET_ID),
    entry("port-info", "lockattr port, attribute with `info`", Lockattr, QUEUE, Alone, SOCKET_ID),
    entry("port-captured", "lockattr port, attribute, captured name", Lockattr, QUEUE, Alone, SOCKET_ID),
    entry("port-async", "lockattr port, attribute on `async fn`", Lockattr, QUEUE, Alone, SOCKET_ID),
    entry("tcp", "lockattr TCP", Lockattr, CONNECTED, Grid, TCP_ID),
    entry("tcp-attribute", "lockattr TCP, attribute", Lockattr, CONNECTED, Alone, TCP_ID),
    entry("fd-lock", "fd-lock 4.0.4", Rust, FLOCK, Contended, FLOCK_ID),
    entry("filelock", "filelock 0.7.0", Rust, "polls, 1 to 50 ms", Grid, FLOCK_ID),
    entry("ipc-lock", "ipc-lock 0.1.4", Rust, FLOCK, Contended, FLOCK_ID),
    entry("named-lock", "named-lock 0.4.1", Rust, FLOCK, Contended, FLOCK_ID),
    entry("proc-lock", "proc-lock 0.4.0, attribute", Rust, FLOCK, Contended, FLOCK_ID),
    entry("sem-safe", "sem_safe 0.2.1", Rust, "in `sem_wait`", Contended, SEMAPHORE_ID),
    entry("serial-test", "serial_test 4.0.1, attribute", Rust, FLOCK, Contended, FLOCK_ID),
    entry("single-instance", "single-instance 0.3.3", Rust, "polled by the bench, 10 ms", Contended, SOCKET_ID),
    entry("k3portlock", "k3portlock 0.1.11 (Python)", Python("k3portlock==0.1.11"), "polls, 10 ms", Grid, SOCKET_ID),
    entry("k3portlock-tcp", "k3portlock 0.1.11 (Python), TCP", Python("k3portlock==0.1.11"), "polls, 10 ms", Grid, TCP_ID),
    entry("cjnfuncs", "cjnfuncs 3.2.3 (Python)", Python("cjnfuncs==3.2.3 posix-ipc==1.3.2"), "in `sem_timedwait`", Grid, SEMAPHORE_ID),
    entry("py-filelock", "filelock 4.2.11 (Python)", Python("filelock==4.2.11"), "polls, 50 ms", Grid, FLOCK_ID),
    entry("std-file", "`std::fs::File::lock`", Floor, FLOCK, Contended, FLOCK_ID),
    entry(FLOCK_ID, "`flock`, bare", Floor, FLOCK, Grid, FLOCK_ID),
    entry(SEMAPHORE_ID, "`sem_trywait`, `sem_post`, bare", Floor, "in `sem_timedwait`", Contended, SEMAPHORE_ID),
    entry(SOCKET_ID, "`socket`, `bind`, `listen`, `close`, bare", Floor, "not at all", Alone, SOCKET_ID),
    entry(TCP_ID, "TCP: `socket`, `bind`, `listen`, `close` of two, bare", Floor, "not at all", Alone, TCP_ID),
    entry(PIPE_ID, "a byte in a pipe", Floor, "in `read`", Contended, PIPE_ID),
];

/// Those that take part at least so far.
pub(crate) fn of(parts: Parts) -> impl Iterator<Item = &'static Entry> {
    FIELD.iter().filter(move |entry| entry.parts >= parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_the_version_that_is_measured() {
        let manifest = include_str!("../peers/Cargo.toml");
        for entry in FIELD {
            let mut words = entry.label.split([' ', ',']);
            let (name, version) = (words.next().unwrap(), words.next().unwrap_or_default());
            let is_measured = match entry.kind {
                Kind::Rust => manifest.contains(&format!("{name} = {{ version = \"={version}\"")),
                Kind::Python(packages) => packages.starts_with(&format!("{name}=={version}")),
                Kind::Lockattr | Kind::Floor => true,
            };
            assert!(is_measured, "{}", entry.label);
        }
    }

    #[test]
    fn no_two_have_one_name() {
        for (at, entry) in FIELD.iter().enumerate() {
            assert!(FIELD[..at].iter().all(|it| it.id != entry.id && it.label != entry.label));
        }
    }
}
