//! What the operating system said.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

/// What the operating system said: an [`io::Error`] that can be cloned and compared.
///
/// Two are equal if they have the same kind, the same number and the same text.
///
/// ```
/// use std::io::ErrorKind;
/// use lockattr::{Lock, LockError};
///
/// let error = Lock::device("/dev/no-such-device").unwrap_err();
/// let LockError::NoDevice { source, .. } = &error else { panic!("{error}") };
/// // It is used as the `io::Error` in it.
/// assert_eq!(source.kind(), ErrorKind::NotFound);
/// assert_eq!(source.raw_os_error(), Some(2));
/// ```
#[derive(Clone)]
pub struct SystemError(Arc<io::Error>);

impl From<io::Error> for SystemError {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl Deref for SystemError {
    type Target = io::Error;

    fn deref(&self) -> &io::Error {
        &self.0
    }
}

impl PartialEq for SystemError {
    fn eq(&self, other: &Self) -> bool {
        let told = |error: &Self| (error.kind(), error.raw_os_error());
        told(self) == told(other) && self.0.to_string() == other.0.to_string()
    }
}

impl Eq for SystemError {}

impl fmt::Debug for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
