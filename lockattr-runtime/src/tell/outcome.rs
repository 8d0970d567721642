//! How an acquire and a hold ended. On the short way these are called only where [`is_anything_heard`].

use std::time::Duration;

use super::emit::{emit, is_anything_heard, milliseconds, TARGET};
use super::found;
use crate::error::LockError;
use crate::events;
use crate::guard::LockGuard;
use crate::sys::clock;

/// Runs `uses`, whose holds are not told: no grant of them was.
pub(crate) fn silently(uses: impl FnOnce()) {
    if !is_anything_heard() {
        return uses();
    }
    let mut uses = Some(uses);
    emit(|| uses.take().into_iter().for_each(|uses| uses()));
    // In a subscriber all is silent.
    uses.take().into_iter().for_each(|uses| uses());
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

/// The caller has got nothing, and holds nothing of what it asked for.
#[cold]
pub(crate) fn not_granted(error: &LockError) {
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

/// The hold of `lock` since `granted` has ended, as the word `how` tells.
pub(crate) fn released(lock: &str, granted: u64, how: &'static str) {
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
