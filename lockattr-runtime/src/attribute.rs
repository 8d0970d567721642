//! What the attribute's expansion calls. Hidden from the docs: no promise is made about it, and the
//! facade pins the macro crate and this one to one version.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

pub use std::{concat, format_args, module_path};

pub use crate::guard::LockGuard;
pub use crate::lock::Lock;
use crate::LockError;

/// Takes the lock for an annotated function, which `function` names.
///
/// The caller's place is the annotated function's own caller: every function between is
/// `#[track_caller]`.
///
/// # Errors
/// As [`Lock::acquire`].
#[track_caller]
pub fn enter(
    lock: &Lock,
    timeout: Duration,
    function: &'static str,
) -> Result<LockGuard, LockError> {
    lock.acquire_for(timeout, &CallSite { function, place: Location::caller() })
}

/// Takes the lock for an annotated function whose attribute says what the info is.
///
/// # Errors
/// As [`Lock::acquire`].
pub fn enter_with(
    lock: &Lock,
    timeout: Duration,
    info: fmt::Arguments<'_>,
) -> Result<LockGuard, LockError> {
    lock.acquire_for(timeout, &info)
}

struct CallSite {
    function: &'static str,
    place: &'static Location<'static>,
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.function, self.place.file(), self.place.line())
    }
}

/// What an annotated function may return: something that can carry a [`LockError`].
#[diagnostic::on_unimplemented(
    message = "a function under `#[interprocess_lock]` must be able to return a `LockError`, but `{Self}` is no `Result`",
    label = "this cannot say that the lock was not acquired",
    note = "return `Result<T, E>` with an `E: From<lockattr::LockError>`, such as `std::io::Result<T>`"
)]
pub trait Fallible {
    /// The value that stands for a lock that was not acquired.
    fn from_lock_error(error: LockError) -> Self;
}

impl<T, E: From<LockError>> Fallible for Result<T, E> {
    fn from_lock_error(error: LockError) -> Self {
        Err(error.into())
    }
}

/// The annotated function's own error for a lock that was not acquired.
#[must_use]
pub fn fail<R: Fallible>(error: LockError) -> R {
    R::from_lock_error(error)
}
