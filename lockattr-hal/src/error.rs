//! What can go wrong: the bus, or its lock.

use std::fmt;

use embedded_hal::{i2c, spi};
use lockattr_runtime::LockError;

/// Why a call of a [`Shared`](crate::Shared) bus failed.
///
/// ```
/// use lockattr_hal::{Error, LockError};
///
/// fn tell<E: std::error::Error>(error: &Error<E>) {
///     match error {
///         Error::Bus(error) => println!("the bus: {error}"),
///         Error::Lock(error) => println!("nothing was sent: {error}"),
///     }
/// }
/// # tell::<LockError>(&Error::Bus(lockattr::Lock::open(lockattr::Backend::Port, "").unwrap_err()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error<E> {
    /// The bus failed, under the lock.
    Bus(E),
    /// The lock was not acquired, and nothing was sent.
    Lock(LockError),
}

impl<E> From<LockError> for Error<E> {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => error.fmt(f),
            Self::Lock(error) => error.fmt(f),
        }
    }
}

// What it shows is its source's own text, so the chain goes on behind that one.
impl<E: std::error::Error> std::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bus(error) => error.source(),
            Self::Lock(error) => error.source(),
        }
    }
}

impl<E: i2c::Error> i2c::Error for Error<E> {
    fn kind(&self) -> i2c::ErrorKind {
        match self {
            Self::Bus(error) => error.kind(),
            Self::Lock(_) => i2c::ErrorKind::Other,
        }
    }
}

impl<E: spi::Error> spi::Error for Error<E> {
    fn kind(&self) -> spi::ErrorKind {
        match self {
            Self::Bus(error) => error.kind(),
            Self::Lock(_) => spi::ErrorKind::Other,
        }
    }
}
