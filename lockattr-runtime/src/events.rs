//! What a program is told while it uses locks: events of the crate [`tracing`], by the feature `tracing`.
//!
//! | event | level | fields | when |
//! | --- | --- | --- | --- |
//! | `lockattr.waiting` | info | `lock`, `waited_ms`, `holder` | a call has waited for [a while](set_waiting_after), once a wait |
//! | `lockattr.granted` | debug | `lock`, `waited_ms` | a lock was acquired |
//! | `lockattr.released` | debug | `lock`, `held_ms`, `how` | a hold has ended: `how` is `released`, `abandoned`, `detached`, `kept` or `removed` |
//! | `lockattr.timed_out` | info | `lock`, `waited_ms`, `holder` | a call waited until its timeout |
//! | `lockattr.refused` | debug | `lock`, `holder` | a call that only tries found the lock taken |
//! | `lockattr.cancelled` | debug | `lock`, `waited_ms` | a wait was [cancelled](crate::Cancel) |
//! | `lockattr.failed` | debug | `lock`, `error` | an acquire failed for another reason |
//! | `lockattr.recovered` | warn | `lock`, `last` | a lock was acquired whose last holder died, or abandoned it |
//! | `lockattr.held_long` | warn | `lock`, `held_ms`, `holder` | a lock is, or was, held for [longer than set](set_held_warning) |
//! | `lockattr.torn_away` | warn | `lock` | at a release: another program had written over the holder's record |
//! | `lockattr.surplus_units` | warn | `lock`, `units` | a semaphore had been posted too often, as by a forced release of a live holder |
//! | `lockattr.record_unavailable` | warn | `lock`, `error` | a record cannot be written: others do not see who holds |
//! | `lockattr.not_respected` | warn | `lock`, `what`, `error` | once a process: it cannot be seen whether other programs lock a device |
//! | `lockattr.slow_pid` | warn | | once a process: the kernel is so old that each use of a lock asks for the pid |
//!
//! The first column is the name in the event's metadata; all have the target `lockattr`, for filters as
//! `lockattr=debug`. Times are milliseconds, as floating point. `holder` and `last` are a
//! [`Holder`](crate::Holder) in one line, and left out if it is not known. New events and new fields may come with any
//! version.
//!
//! There are no spans: a guard may be sent to another thread, and a span that has been entered may not. Put
//! `#[tracing::instrument]` on the function instead.
//!
//! Users of the crate `log` need no subscriber. With the feature `log` the same events are log records, by
//! tracing's own bridge:
//!
//! ```toml
//! lockattr = { version = "0.1", features = ["log"] }
//! ```
//!
//! # What a subscriber may do
//!
//! It runs in the thread that uses the lock, before the call returns. A grant is told when all that the call asked
//! for is held, and a release when the lock is gone. A wait is told in its midst: the waiter has its place in the
//! queue, and nobody else gets the lock from it until the subscriber returns.
//!
//! A subscriber may take locks itself, which are not told. It should give them a timeout: another process may have
//! them, and wait for what this one holds. An acquire of the very lock that it is being told of the wait for fails
//! at once, with [`LockError::Io`](crate::LockError::Io) of the kind [`Deadlock`](std::io::ErrorKind::Deadlock), unless it is free.
//!
//! A forked child tells nothing of its parent's guards.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Nanoseconds.
static WAITING_AFTER: AtomicU64 = AtomicU64::new(100_000_000);
static HELD_WARNING: AtomicU64 = AtomicU64::new(u64::MAX);

/// Sets after how long a wait is told as `lockattr.waiting`, for all locks of this process. It is 100 ms at first.
/// [`Duration::MAX`] is never.
///
/// It may be called at any time. A waiter that sleeps already may go by the time that was set before.
///
/// ```
/// use std::time::Duration;
///
/// lockattr::events::set_waiting_after(Duration::from_secs(1));
/// ```
pub fn set_waiting_after(time: Duration) {
    WAITING_AFTER.store(nanoseconds(time), Ordering::Relaxed);
}

/// Sets from when on a hold is told as `lockattr.held_long`, for all locks of this process. It is never told at first,
/// nor after none is set.
///
/// No thread watches over that. The holder itself is told at the release. A process that waits is told during the
/// hold, once it has waited for so long itself and sees that the holder has held for so long; the events of both have the
/// same name, and only the waiter's has a `holder`. So a hold that nobody waits for, in a process that never releases, is not told.
///
/// It may be called at any time, as [`set_waiting_after`].
///
/// ```
/// use std::time::Duration;
///
/// lockattr::events::set_held_warning(Some(Duration::from_secs(10)));
/// ```
pub fn set_held_warning(time: Option<Duration>) {
    HELD_WARNING.store(time.map_or(u64::MAX, nanoseconds), Ordering::Relaxed);
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn waiting_after() -> u64 {
    WAITING_AFTER.load(Ordering::Relaxed)
}

pub(crate) fn held_warning() -> u64 {
    HELD_WARNING.load(Ordering::Relaxed)
}
