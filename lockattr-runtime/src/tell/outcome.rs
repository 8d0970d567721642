//! How an acquire and a hold ended.

use crate::backend::AnyHeld;
use crate::error::LockError;
use crate::guard::LockGuard;

/// The caller has `guards`, and nothing more to take.
#[inline]
pub(crate) fn granted(guards: &[LockGuard]) {
    #[cfg(feature = "tracing")]
    on::granted(guards);
    #[cfg(not(feature = "tracing"))]
    let _ = guards;
}

/// The caller has got nothing, and holds nothing of what it asked for.
pub(crate) fn not_granted(error: &LockError) {
    #[cfg(feature = "tracing")]
    on::not_granted(error);
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

/// The hold of `lock` has ended, `how` is told by one word. None if nobody was told of its beginning.
#[inline]
pub(crate) fn released(lock: &str, held: &AnyHeld, how: Option<&'static str>) {
    #[cfg(feature = "tracing")]
    on::released(lock, held, how);
    #[cfg(not(feature = "tracing"))]
    let _ = (lock, held, how);
}

#[cfg(feature = "tracing")]
mod on {
    use std::time::Duration;

    use tracing::Level;

    use super::super::emit::{emit, is_heard, milliseconds, TARGET};
    use super::super::found;
    use super::{AnyHeld, LockError, LockGuard};
    use crate::events;
    use crate::sys::clock;

    #[inline]
    pub(super) fn granted(guards: &[LockGuard]) {
        if is_heard(Level::WARN) {
            tell_granted(guards);
        }
    }

    #[cold]
    fn tell_granted(guards: &[LockGuard]) {
        found::tell();
        // A thread that has entered again has been granted nothing.
        for guard in guards.iter().filter(|guard| guard.is_first()) {
            let lock = guard.lock_name();
            if let Some(last) = guard.recovered_from() {
                emit(|| {
                    tracing::warn!(
                        name: "lockattr.recovered", target: TARGET,
                        lock,
                        last = %last,
                        "the last holder of the lock left its work undone"
                    );
                });
            }
            emit(|| {
                tracing::debug!(
                    name: "lockattr.granted", target: TARGET,
                    lock,
                    waited_ms = milliseconds(guard.waited()),
                    "acquired the lock"
                );
            });
        }
    }

    #[cold]
    pub(super) fn not_granted(error: &LockError) {
        if !is_heard(Level::WARN) {
            return;
        }
        found::tell();
        let lock = error.lock_name();
        let waited_ms = milliseconds(error.waited());
        let holder = error.holder().map(tracing::field::display);
        emit(|| match error {
            LockError::Timeout { waited, .. } | LockError::Orphaned { waited, .. }
                if waited.is_zero() =>
            {
                tracing::debug!(
                    name: "lockattr.refused", target: TARGET, lock, holder, "the lock is not free"
                );
            }
            LockError::Timeout { .. } | LockError::Orphaned { .. } => tracing::info!(
                name: "lockattr.timed_out", target: TARGET,
                lock, waited_ms, holder, "timed out waiting for the lock"
            ),
            LockError::Cancelled { .. } => tracing::debug!(
                name: "lockattr.cancelled", target: TARGET,
                lock, waited_ms, "the wait for the lock was cancelled"
            ),
            error => tracing::debug!(
                name: "lockattr.failed", target: TARGET,
                lock, %error, "the lock cannot be taken"
            ),
        });
    }

    #[inline]
    pub(super) fn released(lock: &str, held: &AnyHeld, how: Option<&'static str>) {
        if is_heard(Level::WARN) {
            tell_released(lock, held, how);
        }
    }

    #[cold]
    fn tell_released(lock: &str, held: &AnyHeld, how: Option<&'static str>) {
        found::tell();
        let Some(how) = how else { return };
        let held = clock::monotonic().saturating_sub(held.granted());
        let held_ms = milliseconds(Duration::from_nanos(held));
        emit(|| {
            tracing::debug!(
                name: "lockattr.released", target: TARGET, lock, held_ms, how, "gave the lock back"
            );
        });
        if held >= events::held_warning() {
            emit(|| {
                tracing::warn!(
                    name: "lockattr.held_long", target: TARGET, lock, held_ms, "the lock was held for long"
                );
            });
        }
    }
}
