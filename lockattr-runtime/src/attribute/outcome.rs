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

/// What the user's `or_else` makes of it. (A function, so that a closure knows what it is given.)
#[must_use]
pub fn or_else<R>(handler: impl FnOnce(LockError) -> R, error: LockError) -> R {
    handler(error)
}
