//! What a lock may be called.

use std::fmt;

use crate::kind::Backend;

/// The rule that a lock's name breaks.
///
/// ```
/// use lockattr::{Backend, Lock, LockError, NameError};
///
/// let error = Lock::open(Backend::Semaphore, "bus/1").unwrap_err();
/// assert!(matches!(error, LockError::InvalidName { reason: NameError::Slash, .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The name has no bytes.
    Empty,
    /// The name has more bytes than the backend's addresses hold.
    #[non_exhaustive]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The name has a NUL byte.
    Nul,
    /// The name has a `/`, which a semaphore's cannot have behind its first byte (`sem_overview(7)`).
    Slash,
    /// The name is `.` or `..`, which no semaphore can be called.
    Dots,
    /// The name begins as those of the files in `/dev/shm` that are other locks' own.
    #[non_exhaustive]
    Reserved {
        /// How it must not begin.
        prefix: &'static str,
    },
    /// The name is made from arguments, and one of them could not be written as text.
    Unwritable,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the name is empty; give it at least one byte"),
            Self::TooLong { bytes, limit } => {
                write!(f, "the name has {bytes} bytes; at most {limit} are possible")
            }
            Self::Nul => f.write_str("the name has a NUL byte; leave it out"),
            Self::Slash => {
                f.write_str("a semaphore's name has no `/` but a leading one; leave it out")
            }
            Self::Dots => f.write_str("a semaphore cannot be called `.` or `..`; use another name"),
            Self::Reserved { prefix } => write!(
                f,
                "a semaphore's name cannot begin with `{prefix}`, as files of other locks do; \
                 use another name"
            ),
            Self::Unwritable => f.write_str("an argument in the name could not be written as text"),
        }
    }
}

impl std::error::Error for NameError {}

/// Checks `name` against the rules of `backend`: the one place that knows them at run time, and,
/// being `const`, for names in consts at compile time. The attribute checks literals by the same
/// rules, to put its message on the literal.
pub(crate) const fn check(name: &str, backend: Backend) -> Result<(), NameError> {
    let bytes = without_slash_in_bytes(name.as_bytes(), backend);
    let limit = limit(backend);
    if bytes.is_empty() {
        return Err(NameError::Empty);
    }
    if bytes.len() > limit {
        return Err(NameError::TooLong { bytes: bytes.len(), limit });
    }
    let is_semaphore = matches!(backend, Backend::Semaphore);
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            0 => return Err(NameError::Nul),
            b'/' if is_semaphore => return Err(NameError::Slash),
            _ => i += 1,
        }
    }
    if is_semaphore {
        if matches!(bytes, b"." | b"..") {
            return Err(NameError::Dots);
        }
        let mut i = 0;
        while i < RESERVED.len() {
            if starts_with(bytes, RESERVED[i].as_bytes()) {
                return Err(NameError::Reserved { prefix: RESERVED[i] });
            }
            i += 1;
        }
    }
    Ok(())
}

/// A semaphore's record is the file `/dev/shm/NAME`. Named like this it would be another lock's
/// semaphore (`/dev/shm/sem.…`), or the record of a port lock (`/dev/shm/lockattr.…`).
const RESERVED: [&str; 2] = ["sem.", "lockattr."];

const fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    let mut i = 0;
    while i < prefix.len() {
        if i == bytes.len() || bytes[i] != prefix[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// [`check`] for a `const` context: a name that breaks a rule ends the compilation with the rule.
///
/// # Panics
/// If the name breaks a rule.
pub(crate) const fn assert_valid(name: &str, backend: Backend) {
    match check(name, backend) {
        Ok(()) => {}
        Err(NameError::Empty) => panic!("the lock's name is empty; give it at least one byte"),
        Err(NameError::TooLong { .. }) => match backend {
            Backend::Port => {
                panic!("the lock's name is too long; a port lock's has at most 97 bytes")
            }
            Backend::Semaphore => {
                panic!("the lock's name is too long; a semaphore's has at most 250 bytes")
            }
            Backend::Tcp => {
                panic!("the lock's name is too long; a TCP lock's has at most 250 bytes")
            }
        },
        Err(NameError::Nul | NameError::Unwritable) => {
            panic!("the lock's name has a NUL byte; leave it out")
        }
        Err(NameError::Slash) => {
            panic!("a semaphore's name has no `/` but a leading one; leave it out")
        }
        Err(NameError::Dots) => {
            panic!("a semaphore cannot be called `.` or `..`; use another name")
        }
        Err(NameError::Reserved { .. }) => panic!(
            "a semaphore's name cannot begin with `sem.` or `lockattr.`, as files of other locks do; \
             use another name"
        ),
    }
}

/// The name that processes share: a semaphore's may be written with the `/` that POSIX wants.
pub(crate) const fn without_slash(name: &str, backend: Backend) -> &str {
    match std::str::from_utf8(without_slash_in_bytes(name.as_bytes(), backend)) {
        Ok(name) => name,
        Err(_) => unreachable!(), // what follows an ASCII byte is UTF-8 still
    }
}

/// As [`without_slash`].
pub(crate) const fn without_slash_in_bytes(name: &[u8], backend: Backend) -> &[u8] {
    match (backend, name) {
        (Backend::Semaphore, [b'/', rest @ ..]) => rest,
        _ => name,
    }
}

/// The most bytes that a name may have.
pub(crate) const fn limit(backend: Backend) -> usize {
    match backend {
        Backend::Port => PORT_LIMIT,
        Backend::Semaphore => SEMAPHORE_LIMIT,
        Backend::Tcp => TCP_LIMIT,
    }
}

/// `sun_path` has 108 bytes (unix(7)); the abstract address is a NUL, [`PORT_PREFIX`] and the name.
pub(crate) const PORT_LIMIT: usize = 108 - 1 - PORT_PREFIX.len();

/// The semaphore's file is called `sem.NAME`, and `NAME_MAX` is 255: 251 for the semaphore, 250 for
/// those who count the `/`.
const SEMAPHORE_LIMIT: usize = 250;

/// Ports are computed from any text; a record holds the name and [`TCP_RECORD`].
const TCP_LIMIT: usize = 250;

/// What the record of a TCP lock is called behind the name. No name has a NUL, so it is no other lock's record.
pub(crate) const TCP_RECORD: &str = "\0tcp";

/// What k3portlock 0.1.11 puts before the name on Linux.
pub(crate) const PORT_PREFIX: &str = "/portlock/";

/// A short stand-in for a name where the whole does not fit: FNV-1a, 64 bits. Every process of the
/// machine must compute the same, so it is none of std's, which may change with the compiler.
pub(crate) fn digest(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_name_has_1_to_97_bytes_without_nul() {
        let check = |name: &str| check(name, Backend::Port);
        assert_eq!(check("i"), Ok(()));
        assert_eq!(check(&"n".repeat(97)), Ok(()));
        assert_eq!(check("bus/1 ä\n\u{1b}"), Ok(()));
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check(&"n".repeat(98)), Err(NameError::TooLong { bytes: 98, limit: 97 }));
        assert_eq!(check("i2c\0"), Err(NameError::Nul));
    }

    #[test]
    fn a_semaphores_name_is_a_files_name_and_no_other_locks() {
        let check = |name: &str| check(name, Backend::Semaphore);
        assert_eq!(check("i2c-1"), Ok(()));
        assert_eq!(check("/i2c-1"), Ok(()));
        assert_eq!(without_slash("/i2c-1", Backend::Semaphore), "i2c-1");
        assert_eq!(without_slash("/i2c-1", Backend::Port), "/i2c-1");
        assert_eq!(check(&"n".repeat(250)), Ok(()));
        assert_eq!(check(&format!("/{}", "n".repeat(250))), Ok(()));
        assert_eq!(check(&"n".repeat(251)), Err(NameError::TooLong { bytes: 251, limit: 250 }));
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check("/"), Err(NameError::Empty));
        assert_eq!(check("//x"), Err(NameError::Slash));
        assert_eq!(check("bus/1"), Err(NameError::Slash));
        assert_eq!(check("bus\0"), Err(NameError::Nul));
        assert_eq!(check("."), Err(NameError::Dots));
        assert_eq!(check("/.."), Err(NameError::Dots));
        assert_eq!(check("..."), Ok(()));
        assert_eq!(check("sem.x"), Err(NameError::Reserved { prefix: "sem." }));
        assert_eq!(check("lockattr.0.x"), Err(NameError::Reserved { prefix: "lockattr." }));
        assert_eq!(check("se"), Ok(()));
    }

    #[test]
    fn a_tcp_locks_name_has_1_to_250_bytes_without_nul() {
        let check = |name: &str| check(name, Backend::Tcp);
        assert_eq!(check("/bus/1 ä\n"), Ok(()));
        assert_eq!(without_slash("/bus", Backend::Tcp), "/bus");
        assert_eq!(check(&"n".repeat(250)), Ok(()));
        assert_eq!(check(&"n".repeat(251)), Err(NameError::TooLong { bytes: 251, limit: 250 }));
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check("i2c\0tcp"), Err(NameError::Nul));
    }

    #[test]
    #[should_panic(expected = "at most 97 bytes")]
    fn a_bad_name_in_a_const_ends_the_compilation() {
        assert_valid(&"n".repeat(98), Backend::Port);
    }
}
