//! What a lock may be called.

use std::fmt;

use crate::kind::Backend;

/// The rule that a lock's name breaks.
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
            Self::Unwritable => f.write_str("an argument in the name could not be written as text"),
        }
    }
}

impl std::error::Error for NameError {}

/// Checks `name` against the rules of `backend`: the one place that knows them at run time, and,
/// being `const`, for names in consts at compile time. The attribute checks literals by the same
/// rules, to put its message on the literal.
pub(crate) const fn check(name: &str, backend: Backend) -> Result<(), NameError> {
    let bytes = name.as_bytes();
    let limit = limit(backend);
    if bytes.is_empty() {
        return Err(NameError::Empty);
    }
    if bytes.len() > limit {
        return Err(NameError::TooLong { bytes: bytes.len(), limit });
    }
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == 0 {
            return Err(NameError::Nul);
        }
        i += 1;
    }
    Ok(())
}

/// [`check`] for a `const` context: a name that breaks a rule ends the compilation with the rule.
///
/// # Panics
/// If the name breaks a rule.
pub(crate) const fn assert_valid(name: &str, backend: Backend) {
    match check(name, backend) {
        Ok(()) => {}
        Err(NameError::Empty) => panic!("the lock's name is empty; give it at least one byte"),
        Err(NameError::TooLong { .. }) => {
            panic!("the lock's name is too long; a port lock's has at most 97 bytes")
        }
        Err(NameError::Nul | NameError::Unwritable) => {
            panic!("the lock's name has a NUL byte; leave it out")
        }
    }
}

/// The most bytes that a name may have.
pub(crate) const fn limit(backend: Backend) -> usize {
    match backend {
        Backend::Port => PORT_LIMIT,
    }
}

/// `sun_path` has 108 bytes (unix(7)); the abstract address is a NUL, [`PORT_PREFIX`] and the name.
pub(crate) const PORT_LIMIT: usize = 108 - 1 - PORT_PREFIX.len();

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
    #[should_panic(expected = "at most 97 bytes")]
    fn a_bad_name_in_a_const_ends_the_compilation() {
        assert_valid(&"n".repeat(98), Backend::Port);
    }
}
