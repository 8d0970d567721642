//! The user's `on_recover`: run before the body when the last holder died while it held.

use std::slice;

use crate::{Holder, LockGuard};

/// What a hook may return in a function that returns `R`: nothing, or a `Result` whose error becomes
/// the function's.
#[diagnostic::on_unimplemented(
    message = "`on_recover` returns `{Self}`, which a function that returns `{R}` cannot pass on",
    note = "return nothing, or `Result<(), E>` with an `E` that `?` turns into the function's own error"
)]
pub trait RecoveryOutcome<R> {
    /// What the function returns if this is a failure.
    fn into_failure(self) -> Option<R>;
}

impl<R> RecoveryOutcome<R> for () {
    fn into_failure(self) -> Option<R> {
        None
    }
}

impl<T, E, F: From<E>> RecoveryOutcome<Result<T, F>> for Result<(), E> {
    fn into_failure(self) -> Option<Result<T, F>> {
        self.err().map(|error| Err(error.into()))
    }
}

/// What an annotated function holds: one guard, or an array of them.
pub trait Guards {
    /// One after the other.
    fn each_mut(&mut self) -> &mut [LockGuard];
}

impl Guards for LockGuard {
    fn each_mut(&mut self) -> &mut [LockGuard] {
        slice::from_mut(self)
    }
}

impl<const N: usize> Guards for [LockGuard; N] {
    fn each_mut(&mut self) -> &mut [LockGuard] {
        self
    }
}

/// Runs `hook` for each lock whose holder before died while it held.
///
/// The guards stay where they are, for the function's arguments to drop before them.
///
/// # Errors
/// What the function is to return if the hook fails. The lock in question is to be given back as if
/// this holder had died: the next one recovers. So it is if the hook panics.
pub fn recover<R, O: RecoveryOutcome<R>>(
    guards: &mut impl Guards,
    mut hook: impl FnMut(&Holder) -> O,
) -> Result<(), R> {
    for guard in guards.each_mut() {
        if guard.recovered_from().is_some() {
            guard.set_abandoned(true);
            let failure = guard.recovered_from().and_then(|holder| hook(holder).into_failure());
            if let Some(failure) = failure {
                return Err(failure);
            }
            guard.set_abandoned(false);
        }
    }
    Ok(())
}
