//! `lockattr clean`.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use lockattr_runtime::{Backend, Holder, Lock, LockError, Tenure};
use lockattr_survey::{survey, Scope, Status};
use nix::unistd::geteuid;

use crate::cli::Clean;
use crate::exit::{Exit, Stop};
use crate::patterns::Patterns;
use crate::report;
use crate::text::Bytes;

/// What became of the locks.
#[derive(Default)]
struct Done {
    removed: u64,
    bytes: u64,
    in_use: u64,
    /// Kept for the next holder, which is to be told of a death.
    died: u64,
    /// Another user's.
    denied: u64,
    failed: Vec<String>,
}

pub(super) fn clean(clean: &Clean, backend: Option<Backend>) -> Result<Exit, Stop> {
    let patterns = Patterns::new(&clean.patterns)?;
    let mut done = Done::default();
    for status in survey(Scope::Remembered, backend)? {
        if patterns.include(&status.name) && is_old(&status, clean.older) {
            one(&status, clean, &mut done);
        }
    }
    if done.removed == 0 && done.in_use > 0 && done.failed.is_empty() {
        let said = done.to_string(clean.dry_run);
        return Err(Stop::failed(format!("nothing to remove: {}", said.trim_end())));
    }
    report::print(&done.to_string(clean.dry_run))?;
    let Some(first) = done.failed.first() else { return Ok(Exit::Done) };
    let others = done.failed.len() - 1;
    let others = if others == 0 { String::new() } else { format!("; and {others} more") };
    Err(Stop::failed(format!("{first}{others}")))
}

fn one(status: &Status, clean: &Clean, done: &mut Done) {
    if status.is_locked() != Some(false) {
        done.in_use += 1;
        return;
    }
    let is_out_of_order = |last: &Holder| matches!(last.tenure, Tenure::Died | Tenure::Abandoned);
    if status.last.as_ref().is_some_and(is_out_of_order) && !clean.died {
        done.died += 1;
        return;
    }
    if is_record_of_another_user(status) {
        done.denied += 1;
        return;
    }
    let bytes = bytes_of(status);
    let removed = if clean.dry_run { Ok(()) } else { remove(status) };
    match removed {
        Ok(()) => {
            done.removed += 1;
            done.bytes += bytes;
        }
        Err(LockError::Timeout { .. } | LockError::OtherBackend { .. }) => done.in_use += 1,
        Err(LockError::Denied { .. } | LockError::Untrusted { .. }) => done.denied += 1,
        Err(error) => done.failed.push(error.to_string()),
    }
}

fn remove(status: &Status) -> Result<(), LockError> {
    Lock::open(status.backend, &status.name)?.remove_files()
}

/// Each user has a record of a port or TCP lock, which root alone can remove for others.
fn is_record_of_another_user(status: &Status) -> bool {
    let this = geteuid();
    let uid = status.last.as_ref().and_then(|last| last.uid);
    status.backend != Backend::Semaphore && !this.is_root() && uid != Some(this.as_raw())
}

/// Whether it was used last longer ago than that. One of which nothing tells when is old.
fn is_old(status: &Status, older: Option<Duration>) -> bool {
    let Some(older) = older else { return true };
    let last = status.last.as_ref();
    let end = last.and_then(|last| last.since?.checked_add(last.held_for.unwrap_or_default()));
    let [page, _] = files(&status.name);
    let end = end.or_else(|| fs::metadata(page).ok()?.modified().ok());
    end.is_none_or(|end| SystemTime::now().duration_since(end).is_ok_and(|age| age >= older))
}

/// How much memory the lock's files take.
pub(super) fn bytes_of(status: &Status) -> u64 {
    /// A record of a port or TCP lock.
    const PAGE: u64 = 4096;

    match status.backend {
        Backend::Semaphore => {
            let files = files(&status.name).into_iter().filter_map(|file| fs::metadata(file).ok());
            files.map(|file| file.blocks() * 512).sum()
        }
        _ => PAGE,
    }
}

/// The two files of a semaphore.
fn files(name: &str) -> [String; 2] {
    [format!("/dev/shm/{name}"), format!("/dev/shm/sem.{name}")]
}

impl Done {
    fn to_string(&self, is_dry: bool) -> String {
        let would = if is_dry { "would be " } else { "" };
        let removed = count(self.removed, "lock");
        let mut parts = vec![format!("{removed} {would}removed, {} of memory", Bytes(self.bytes))];
        if self.in_use > 0 {
            parts.push(format!("{} in use", self.in_use));
        }
        if self.died > 0 {
            parts.push(format!(
                "{} kept, as the last holder died and the next is to be told (`--died` removes those too)",
                self.died
            ));
        }
        if self.denied > 0 {
            parts.push(format!("{} of other users", self.denied));
        }
        parts.join("; ") + "\n"
    }
}

fn count(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} free {what}{s}")
}
