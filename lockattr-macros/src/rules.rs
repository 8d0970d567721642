//! The rules of each backend for names, to have the message at the literal.

use std::fmt;

use crate::backend::Backend;

/// The rule that a lock's name breaks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NameError {
    Empty,
    TooLong { bytes: usize },
    Nul,
    Slash,
    Dots { name: String },
    Reserved { prefix: &'static str },
}

/// The same rules as in lockattr-runtime's `name.rs`, which this crate cannot depend on: the runtime
/// checks every name again. They stand here only to put the message on the literal.
pub(crate) fn check(name: &str, backend: Backend) -> std::result::Result<(), NameError> {
    match (backend, without_slash(name, backend)) {
        (_, "") => Err(NameError::Empty),
        (Backend::Semaphore, name @ ("." | "..")) => Err(NameError::Dots { name: name.to_owned() }),
        _ => check_parts(name, name, backend),
    }
}

/// What is wrong for certain with a name that begins with `start`, and has `fixed` in it, with
/// anything between its bytes, or nothing. So a `/` in front of `fixed` may be the leading one, but
/// none behind it can.
pub(crate) fn check_parts(
    start: &str,
    fixed: &str,
    backend: Backend,
) -> std::result::Result<(), NameError> {
    let fixed = without_slash(fixed, backend);
    if fixed.len() > backend.limit() {
        return Err(NameError::TooLong { bytes: fixed.len() });
    }
    if fixed.contains('\0') {
        return Err(NameError::Nul);
    }
    if backend == Backend::Semaphore {
        if fixed.contains('/') {
            return Err(NameError::Slash);
        }
        let start = without_slash(start, backend);
        if let Some(prefix) = RESERVED.into_iter().find(|prefix| start.starts_with(prefix)) {
            return Err(NameError::Reserved { prefix });
        }
    }
    Ok(())
}

const RESERVED: [&str; 2] = ["sem.", "lockattr."];

/// A semaphore's name may be written with the `/` that POSIX wants.
pub(crate) fn without_slash(name: &str, backend: Backend) -> &str {
    match backend {
        Backend::Port | Backend::Tcp => name,
        Backend::Semaphore => name.strip_prefix('/').unwrap_or(name),
    }
}

/// What every message about a name ends with.
pub(crate) fn rules(backend: Backend) -> String {
    let limit = backend.limit();
    match backend {
        Backend::Port | Backend::Tcp => format!("a name has 1 to {limit} bytes, and no NUL among them"),
        Backend::Semaphore => format!(
            "a semaphore's name has 1 to {limit} bytes, no NUL, no `/` but a leading one (which does \
             not count), is not `.` or `..`, and does not begin with `{}` or `{}`",
            RESERVED[0], RESERVED[1],
        ),
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the lock's name is empty"),
            Self::TooLong { bytes } => write!(f, "the lock's name has {bytes} bytes"),
            Self::Nul => f.write_str("the lock's name has a NUL byte"),
            Self::Slash => f.write_str("the lock's name has a `/` that is not its first byte"),
            Self::Dots { name } => write!(f, "the lock's name is `{name}`, which is a directory's"),
            Self::Reserved { prefix } => {
                write!(f, "the lock's name begins with `{prefix}`, as files of other locks do")
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use lockattr_runtime::{Lock, LockError};

    use super::*;

    #[test]
    fn a_port_name_has_1_to_97_bytes_without_nul() {
        let check = |name: &str| check(name, Backend::Port);
        for name in ["i", "bus/1 ä\n", "/", "..", "sem.i2c", &"n".repeat(97)] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check(&"n".repeat(98)), Err(NameError::TooLong { bytes: 98 }));
        // 49 characters, 98 bytes.
        assert_eq!(check(&"ä".repeat(49)), Err(NameError::TooLong { bytes: 98 }));
        assert_eq!(check("i2c\0"), Err(NameError::Nul));
    }

    #[test]
    fn a_semaphores_name_is_a_files_name_and_no_other_locks() {
        let check = |name: &str| check(name, Backend::Semaphore);
        let longest = "n".repeat(250);
        for name in ["i", "/i", "...", "sem", "x.sem.", "semi", &longest, &format!("/{longest}")] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        for name in ["", "/"] {
            assert_eq!(check(name), Err(NameError::Empty), "{name:?}");
        }
        for name in ["//", "//i", "bus/1", "/bus/1", "bus/"] {
            assert_eq!(check(name), Err(NameError::Slash), "{name:?}");
        }
        for (name, bare) in [(".", "."), ("..", ".."), ("/.", "."), ("/..", "..")] {
            assert_eq!(check(name), Err(NameError::Dots { name: bare.to_owned() }), "{name:?}");
        }
        for (name, prefix) in [("sem.", "sem."), ("/sem.x", "sem."), ("lockattr.0", "lockattr.")] {
            assert_eq!(check(name), Err(NameError::Reserved { prefix }), "{name:?}");
        }
        assert_eq!(check(&format!("{longest}n")), Err(NameError::TooLong { bytes: 251 }));
        assert_eq!(check("/i2c\0"), Err(NameError::Nul));
    }

    /// Every rule is broken by some pair of them.
    pub(crate) fn pieces() -> Vec<String> {
        let short =
            ["", "/", ".", "sem", "sem.", "lockattr", "lockattr.", "s", "em.x", "\0", "ä/", "97"];
        let long = [97, 125, 247].map(|length| "n".repeat(length));
        short.map(str::to_owned).into_iter().chain(long).collect()
    }

    pub(crate) fn pairs() -> impl Iterator<Item = (String, String)> {
        pieces().into_iter().flat_map(|a| pieces().into_iter().map(move |b| (a.clone(), b)))
    }

    #[test]
    fn the_runtime_has_the_same_rules() {
        let port =
            (Backend::Port, lockattr_runtime::Backend::Port, Lock::port as fn(&'static str) -> _);
        let semaphore =
            (Backend::Semaphore, lockattr_runtime::Backend::Semaphore, Lock::semaphore as _);
        let tcp = (Backend::Tcp, lockattr_runtime::Backend::Tcp, Lock::tcp as _);
        for (backend, of_the_runtime, constructor) in [port, semaphore, tcp] {
            for name in pairs().map(|(a, b)| a + &b) {
                if check(&name, backend).is_ok() {
                    // It panics where the runtime has another opinion.
                    let _: Lock = constructor(name.leak());
                } else {
                    let opened = Lock::open(of_the_runtime, &name);
                    let is_refused = matches!(opened, Err(LockError::InvalidName { .. }));
                    assert!(is_refused, "{backend:?} {name:?}");
                }
            }
        }
    }
}
