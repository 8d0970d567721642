//! What an annotated function returns when the lock was not acquired.

use crate::LockError;

/// What an annotated function may return: something that can carry a [`LockError`].
#[diagnostic::on_unimplemented(
    message = "a function under `#[interprocess_lock]` must be able to return a `LockError`, but `{Self}` is no `Result`",
    label = "this cannot say that the lock was not acquired",
    note = "return `Result<T, E>` with an `E: From<lockattr::LockError>`, such as `std::io::Result<T>`",
    note = "or say what to return with `or_else = |error| …`",
    note = "or, in an `impl` block that has the attribute as a whole, leave this method out with `#[interprocess_lock(skip)]`"
)]
pub trait Fallible {
    /// The value that stands for a lock that was not acquired.
    fn from_lock_error(error: LockError) -> Self;
}

impl<T, E: FromLockError> Fallible for Result<T, E> {
    #[inline]
    fn from_lock_error(error: LockError) -> Self {
        Err(E::from_lock_error(error))
    }
}

/// An error that can be made from a [`LockError`].
#[diagnostic::on_unimplemented(
    message = "the function's error `{Self}` cannot be made from a `LockError`",
    label = "when the lock is not acquired, this is what the function returns",
    note = "if the type is your own, write `impl From<lockattr::LockError> for {Self}`",
    note = "or say what to return with `or_else = |error| Err(…)`",
    note = "or, in an `impl` block that has the attribute as a whole, leave this method out with `#[interprocess_lock(skip)]`"
)]
pub trait FromLockError {
    /// The error for a lock that was not acquired.
    fn from_lock_error(error: LockError) -> Self;
}

// Else rustc would ask for `From`, without the notes above. It knows the attribute from 1.85 on.
#[allow(unknown_or_malformed_diagnostic_attributes)]
#[diagnostic::do_not_recommend]
impl<E: From<LockError>> FromLockError for E {
    #[inline]
    fn from_lock_error(error: LockError) -> Self {
        error.into()
    }
}

/// The annotated function's own error for a lock that was not acquired.
#[must_use]
pub fn fail<R: Fallible>(error: LockError) -> R {
    R::from_lock_error(error)
}

/// What the user's `or_else` makes of it. (A function, so that a closure knows what it is given.)
#[must_use]
pub fn or_else<R>(handler: impl FnOnce(LockError) -> R, error: LockError) -> R {
    handler(error)
}
