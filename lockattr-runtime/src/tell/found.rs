//! What is found in the middle of taking a lock or giving it back, and told at the end.

use std::cell::RefCell;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Level;

use super::emit::{emit, is_heard, is_silent, TARGET};

enum Found {
    RecordUnavailable(String),
    NotRespected(&'static str, String),
    SurplusUnits(u32),
    TornAway,
}

thread_local! {
    static FOUND: RefCell<Vec<(Box<str>, Found)>> = const { RefCell::new(Vec::new()) };
}

/// The record of `lock` cannot be written: the lock works, and nobody can see from where it is held.
pub(crate) fn record_unavailable(lock: &str, error: &io::Error) {
    keep(lock, || Found::RecordUnavailable(error.to_string()));
}

/// Other programs may lock the device of `lock` by what cannot be looked at. Said once a process.
pub(crate) fn not_respected(lock: &str, what: &'static str, error: &io::Error) {
    static SAID: AtomicBool = AtomicBool::new(false);

    if is_heard(Level::WARN) && !SAID.swap(true, Ordering::Relaxed) {
        keep(lock, || Found::NotRespected(what, error.to_string()));
    }
}

/// The semaphore of `lock` had more units than one: somebody released by force what was not taken, or
/// not dead.
pub(crate) fn surplus_units(lock: &str, units: u32) {
    keep(lock, || Found::SurplusUnits(units));
}

/// The owner word of `lock` was another one at the release: somebody has written over it.
pub(crate) fn torn_away(lock: &str) {
    keep(lock, || Found::TornAway);
}

/// Each use of a lock asks for the pid. Said once, before anything is taken.
pub(crate) fn asks_for_the_pid() {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        emit(|| {
            tracing::warn!(
                name: "lockattr.slow_pid", target: TARGET,
                "the kernel wipes no page at a fork (madvise(2), MADV_WIPEONFORK): each use of a lock asks \
                 for the pid"
            );
        });
    }
}

fn keep(lock: &str, found: impl FnOnce() -> Found) {
    if is_heard(Level::WARN) {
        let found = (lock.into(), found());
        let _ = FOUND.try_with(|all| all.try_borrow_mut().map(|mut all| all.push(found)));
    }
}

/// Tells what this thread has found since the last time. The caller is at the end of what it does with locks.
pub(super) fn tell() {
    if is_silent() {
        return; // by the event that this thread is in, or by what comes after
    }
    let all = FOUND.try_with(|all| all.try_borrow_mut().map(|mut all| mem::take(&mut *all)));
    let Ok(Ok(all)) = all else { return };
    for (lock, found) in all {
        let lock = &*lock;
        emit(|| match &found {
            Found::RecordUnavailable(error) => tracing::warn!(
                name: "lockattr.record_unavailable", target: TARGET, lock, error,
                "the lock's record cannot be written: others will not see from where it is held"
            ),
            Found::NotRespected(what, error) => tracing::warn!(
                name: "lockattr.not_respected", target: TARGET, lock, what, error,
                "it cannot be seen whether another program locks the device: it may be used beside this one"
            ),
            Found::SurplusUnits(units) => tracing::warn!(
                name: "lockattr.surplus_units", target: TARGET, lock, units,
                "the semaphore has been posted too often: lockattr's programs still exclude each other, others \
                 may have come in beside them"
            ),
            Found::TornAway => tracing::warn!(
                name: "lockattr.torn_away", target: TARGET, lock,
                "the lock was taken away while it was held: its record was written over"
            ),
        });
    }
}
