//! Taking the locks of `run`.

use std::time::{Duration, Instant};

use lockattr_runtime::{Lock, LockError, LockGuard};

use crate::ancestors;
use crate::duration::FOR_EVER;
use crate::exit::{Exit, Stop};
use crate::waiting;

/// How to take them.
pub(super) struct Request<'a> {
    pub(super) timeout: Duration,
    pub(super) info: &'a str,
    pub(super) quiet: bool,
    /// Where an ancestor of this process holds a lock, that will do.
    pub(super) reenter: bool,
    /// The exit code if it is over.
    pub(super) conflict: Exit,
}

/// All the locks, in one order for all processes, so that none waits in a circle. Not those under whose hold
/// this process runs already.
pub(super) fn all(mut locks: Vec<Lock>, request: &Request<'_>) -> Result<Vec<LockGuard>, Stop> {
    locks.sort_by(|one, other| one.name().cmp(other.name()));
    // A lock that is named twice is wanted once.
    locks.dedup_by(|one, other| one.name() == other.name());
    let mut start = None;
    let mut guards = Vec::new();
    for lock in &locks {
        guards.extend(one(lock, request, &mut start)?);
    }
    Ok(guards)
}

/// `start` is when the first of the locks was refused.
fn one(
    lock: &Lock,
    request: &Request<'_>,
    start: &mut Option<Instant>,
) -> Result<Option<LockGuard>, Stop> {
    if request.reenter && ancestors::holder(lock)?.is_some() {
        return Ok(None);
    }
    let refused = match lock.with().info(request.info).try_acquire() {
        Err(error) if Exit::of(&error) == Exit::Not => error,
        taken => return Ok(Some(taken?)),
    };
    let left = match request.timeout {
        Duration::ZERO => return Err(conflict(refused, request)),
        FOR_EVER => FOR_EVER,
        timeout => timeout.saturating_sub(start.get_or_insert_with(Instant::now).elapsed()),
    };
    if let Some(holder) = ancestors::holder(lock)? {
        return Err(ancestors::would_deadlock(lock, &holder));
    }
    let waited = waiting::aloud(lock, request.quiet, || {
        lock.with().timeout(left).info(request.info).acquire()
    });
    waited.map(Some).map_err(|error| conflict(error, request))
}

fn conflict(error: LockError, request: &Request<'_>) -> Stop {
    match Exit::of(&error) {
        Exit::Not if request.quiet => Stop::Silent(request.conflict),
        Exit::Not => Stop::With(request.conflict, error.to_string()),
        _ => error.into(),
    }
}
