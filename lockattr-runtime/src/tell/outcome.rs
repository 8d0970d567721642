//! How an acquire and a hold ended.

use crate::error::LockError;
use crate::guard::LockGuard;

/// Whether anybody may listen to what the functions of this file tell. Where it is not asked before, it is on no
/// short way.
#[inline]
pub(crate) fn is_heard() -> bool {
    #[cfg(feature = "tracing")]
    return super::emit::is_anything_heard();
    #[cfg(not(feature = "tracing"))]
    false
}

/// Runs `uses`, whose holds are not told: no grant of them was.
pub(crate) fn silently(uses: impl FnOnce()) {
    #[cfg(feature = "tracing")]
    if is_heard() {
        let mut uses = Some(uses);
        super::emit::emit(|| uses.take().into_iter().for_each(|uses| uses()));
        // In a subscriber all is silent.
        return uses.take().into_iter().for_each(|uses| uses());
    }
    uses();
}

/// An acquire of one lock has ended so.
#[cold]
pub(crate) fn outcome(taken: &Result<LockGuard, LockError>) {
    match taken {
        Ok(guard) => granted(std::slice::from_ref(guard)),
        Err(error) => not_granted(error),
    }
}

/// The caller has `guards`, and nothing more to take.
#[cold]
pub(crate) fn granted(guards: &[LockGuard]) {
    #[cfg(feature = "tracing")]
    on::granted(guards);
    #[cfg(not(feature = "tracing"))]
    let _ = guards;
}

/// The caller has got nothing, and holds nothing of what it asked for.
#[cold]
pub(crate) fn not_granted(error: &LockError) {
    #[cfg(feature = "tracing")]
    on::not_granted(error);
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

/// The hold of `lock` since `granted` has ended, as the word `how` tells.
pub(crate) fn released(lock: &str, granted: u64, how: &'static str) {
    #[cfg(feature = "tracing")]
    on::released(lock, granted, how);
    #[cfg(not(feature = "tracing"))]
    let _ = (lock, granted, how);
}

#[cfg(feature = "tracing")]
mod on {
    use std::time::Duration;

    use super::super::emit::{emit, milliseconds, TARGET};
    use super::super::found;
    use super::{LockError, LockGuard};
    use crate::events;
    use crate::sys::clock;

    pub(super) fn granted(guards: &[LockGuard]) {
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

    pub(super) fn not_granted(error: &LockError) {
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

    pub(super) fn released(lock: &str, granted: u64, how: &'static str) {
        found::tell();
        let held = clock::monotonic().saturating_sub(granted);
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
