//! The locks of an annotated function, by names known to the compiler or made from arguments.

use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use crate::device::{Device, Joins};
use crate::kind::Kind;
use crate::name::{self, NameError};
use crate::registry;
use crate::several::{Handle, Handles as _};
use crate::text::Buffer;
use crate::{Lock, LockError};

/// The lock of a static.
///
/// # Errors
/// [`LockError::BackendMismatch`] if this process uses the name under another backend.
pub fn fixed(lock: &Lock) -> Result<Handle, LockError> {
    lock.handle()
}

/// The lock whose name the arguments make. A name that this process has used before is found without
/// allocating anything.
///
/// # Errors
/// [`LockError::InvalidName`], and as [`fixed`].
pub fn named(kind: Kind, name: fmt::Arguments<'_>) -> Result<Handle, LockError> {
    /// As many as the longest name of any backend, and more.
    const BYTES: usize = 256;

    let mut buffer = Buffer::<BYTES>::new();
    let written = buffer.write_fmt(name);
    if written.is_ok() {
        let shared = name::without_slash_in_bytes(buffer.as_bytes(), kind.rules);
        if let Some(state) = registry::remembered(kind, shared) {
            return Ok(Handle::new(state));
        }
    }
    let text = buffer.as_str();
    let invalid = |reason| invalid(text, reason);
    if buffer.length() > BYTES {
        let (bytes, limit) = (buffer.length(), name::limit(kind.rules));
        return Err(invalid(NameError::TooLong { bytes, limit }));
    }
    written.map_err(|_| invalid(NameError::Unwritable))?;
    let handle = named_by(kind, text)?;
    registry::remember(&handle.state);
    Ok(handle)
}

/// The lock that a const of a generic type names, which no static can have.
///
/// # Errors
/// As [`named`].
pub fn named_by(kind: Kind, name: &str) -> Result<Handle, LockError> {
    name::check(name, kind.rules).map_err(|reason| invalid(name, reason))?;
    registry::kept(kind, name::without_slash(name, kind.rules)).map(Handle::new)
}

/// The lock of the device that the path leads to which the arguments make, with `joins` to be taken beside it.
///
/// # Errors
/// [`LockError::NoDevice`], and as [`fixed`].
pub fn device(kind: Kind, path: fmt::Arguments<'_>, joins: Joins<'_>) -> Result<Handle, LockError> {
    let mut written = Buffer::<PATH_BYTES>::new();
    let is_written = written.write_fmt(path).is_ok();
    let text = written.as_str();
    if !is_written || written.length() > PATH_BYTES {
        let (kind, why) = if is_written {
            (io::ErrorKind::InvalidInput, "the path is too long")
        } else {
            (io::ErrorKind::InvalidData, "an argument in the path could not be written as text")
        };
        let source = io::Error::new(kind, why).into();
        return Err(LockError::NoDevice { lock: text.into(), path: text.into(), source });
    }
    let device = Device::at(Path::new(text))?;
    let handle = named(kind, format_args!("{}", device.node()))?;
    let mut handle = Handle { device: Some(Box::new(device)), ..handle };
    if !joins.is_none() {
        handle.join(joins)?;
    }
    Ok(handle)
}

/// As many as a path may have (`PATH_MAX`).
const PATH_BYTES: usize = 4096;

fn invalid(name: &str, reason: NameError) -> LockError {
    LockError::InvalidName { lock: name.into(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Backend;

    const PORT: Kind = Kind::new(Backend::Port);

    fn name_of(handle: Result<Handle, LockError>) -> Result<String, String> {
        handle.map(|handle| handle.state.name().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_is_made_from_arguments_and_checked() {
        let named = |name: fmt::Arguments<'_>| name_of(named(PORT, name));
        assert_eq!(named(format_args!("unit-i2c-{}", 3)).as_deref(), Ok("unit-i2c-3"));
        assert!(named(format_args!("{}", "")).unwrap_err().contains("empty"));
        assert!(named(format_args!("a{}", '\0')).unwrap_err().contains("NUL"));
        for length in [98, 255, 256, 257, 10_000] {
            let error = named(format_args!("{}", "n".repeat(length))).unwrap_err();
            assert!(error.contains(&format!("{length} bytes; at most 97")), "{error}");
        }
        let cut = named(format_args!("{}", "ä".repeat(200))).unwrap_err();
        assert!(cut.contains("400 bytes"), "{cut}");
    }

    #[test]
    fn an_argument_that_cannot_be_written_is_an_error() {
        struct Unwritable;
        impl fmt::Display for Unwritable {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        let error = name_of(named(PORT, format_args!("i2c-{Unwritable}"))).unwrap_err();
        assert!(error.contains("could not be written"), "{error}");
    }

    #[test]
    fn more_names_than_are_kept_can_be_used() {
        for number in 0..3_000 {
            named(PORT, format_args!("unit-many-{number}")).unwrap();
        }
    }
}
