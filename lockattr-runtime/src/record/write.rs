//! Writing a record: by the lock's holder alone, so writers never meet.

use std::sync::atomic::Ordering;

use super::layout::{self, Field, Writing, MAGIC, VERSION};
use super::owner::Writer;
use super::text;
use crate::info::Info;
use crate::sys::clock;
use crate::sys::mapping::Words;
use crate::sys::namespace::Network;
use crate::sys::process::{last_effective_uid, Process};
use crate::sys::thread::Thread;

/// In place of the time of the release: the holder let go of what it could not bring in order.
pub(super) const ABANDONED: u64 = u64::MAX;

/// In place of the time of the release: the holder left the lock taken, for somebody to release by force.
pub(super) const DETACHED: u64 = u64::MAX - 1;

/// Whether such a word is the time of a release.
#[inline]
pub(super) fn is_release(released: u64) -> bool {
    !matches!(released, 0 | ABANDONED)
}

/// Writes that the caller, who holds the lock `name`, was granted it at `now` of the monotonic clock.
/// The text gets `limit` bytes at most.
///
/// From the mark until its first word stands the text is an owner's that has yet to write it, so a process
/// that is killed in between leaves no text that is taken for a foreign program's.
pub(super) fn grant(
    words: &Words,
    limit: usize,
    name: &str,
    network: Option<Network>,
    now: u64,
    info: Info<'_>,
    by: Thread,
) {
    let wall = clock::wall_at(now);
    text::mark(words);
    let _writing = Writing::begin(words);
    let written = text::write(words, limit, wall, info);
    let put = |field: Field, value| field.of(words).store(value, Ordering::Relaxed);
    put(Field::TextDigest, written.digest);
    written.commit(words);
    put(Field::Thread, by.tid.into());
    put(Field::GrantedMonotonic, now);
    put(Field::GrantedWall, wall);
    put(Field::ReleasedMonotonic, 0);
    put(Field::Handed, 0);
    if let Some(network) = network {
        put(Field::Network, network.word());
    }
    let get = |field: Field| field.of(words).load(Ordering::Relaxed);
    // Where addresses are not random, a program after `exec` has the word of the one before.
    let writer = Writer::known(by.generation).unwrap_or_else(Writer::this);
    let uid = u64::from(last_effective_uid());
    if (get(Field::Writer), get(Field::Random), get(Field::Uid))
        != (writer.word.0, writer.process.random, uid)
    {
        about(words, name, writer, uid);
    }
}

/// Writes another text in place of the one of the caller's grant, which begins with `first`, with that one's time;
/// whether no program wrote over it meanwhile. In the order of a [`grant`].
///
/// The first word is swapped, not stored: another program's text that has come in between stays another program's.
pub(super) fn info(words: &Words, limit: usize, first: u64, info: Info<'_>) -> bool {
    let wall = Field::GrantedWall.of(words).load(Ordering::Relaxed);
    if !text::mark_after(words, first) {
        return false;
    }
    let _writing = Writing::begin(words);
    let written = text::write(words, limit, wall, info);
    Field::TextDigest.of(words).store(written.digest, Ordering::Relaxed);
    written.commit_over_mark(words)
}

/// What is the same in all grants to one process.
#[cold]
fn about(words: &Words, name: &str, &Writer { process, word }: &Writer, uid: u64) {
    let put = |field: Field, value| field.of(words).store(value, Ordering::Relaxed);
    put(Field::Writer, 0);
    layout::write_name(words, name);
    layout::write_bytes(words, Field::Command, &process.command);
    let identity = process.identity;
    put(Field::Pid, identity.pid.into());
    put(Field::PidNamespace, identity.pid_namespace);
    put(Field::StartTime, identity.start_time);
    put(Field::TimeNamespace, identity.time_namespace);
    put(Field::Image, identity.image);
    put(Field::Random, process.random);
    put(Field::Uid, uid);
    Field::Writer.of(words).store(word.0, Ordering::Release);
}

/// Writes when the caller, who holds the lock still, gives it back.
pub(super) fn end(words: &Words, end: u64) {
    Field::ReleasedMonotonic.of(words).store(end, Ordering::Relaxed);
}

/// Writes that the caller, who has the lock still, lets go of it: `to` the process that is sent it next.
pub(super) fn handed(words: &Words, name: &str, to: Option<u32>) {
    let put = |field: Field, value| field.of(words).store(value, Ordering::Relaxed);
    if Field::Magic.of(words).load(Ordering::Relaxed) != MAGIC
        || Field::Version.of(words).load(Ordering::Relaxed) != VERSION
    {
        // Nobody was granted anything by this record: that stays so.
        let _writing = Writing::begin(words);
        layout::write_name(words, name);
        put(Field::Pid, 0);
        put(Field::Writer, 0);
    }
    let this = Process::this().identity;
    put(Field::HandedNamespace, this.pid_namespace);
    let by = u64::from(this.pid) << 32;
    Field::Handed.of(words).store(by | u64::from(to.unwrap_or(0)), Ordering::Release);
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
// elsewhere a process is known by its pid alone
mod tests;
