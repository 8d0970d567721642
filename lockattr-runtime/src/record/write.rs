//! Writing a record: by whoever holds the lock, so writers never meet.

use std::sync::atomic::Ordering;

use super::layout::{self, Field, Writing, MAGIC, VERSION};
use super::owner::Owner;
use super::text;
use crate::info::Info;
use crate::sys::clock;
use crate::sys::mapping::Words;
use crate::sys::process::Process;
use crate::sys::thread;

/// In place of the time of the release: the holder let go of what it could not bring in order.
pub(super) const ABANDONED: u64 = u64::MAX;

/// In place of the time of the release: the holder left the lock taken, for somebody to release by force.
pub(super) const DETACHED: u64 = u64::MAX - 1;

/// Writes that the caller, who holds the lock `name`, was granted it at `now` of the monotonic clock.
/// It is the process of `writer`, and `process` tells all about that one. The text gets `limit` bytes at
/// most.
pub(super) fn grant(
    words: &Words,
    limit: usize,
    name: &str,
    writer: Owner,
    process: impl FnOnce() -> Process,
    now: u64,
    info: Info<'_>,
) {
    let wall = clock::wall_at(now);
    let _writing = Writing::begin(words);
    let digest = text::write(words, limit, wall, info);
    let put = |field: Field, value| field.of(words).store(value, Ordering::Relaxed);
    // As soon as the text is there: see `owned`.
    put(Field::TextDigest, digest);
    put(Field::Thread, thread::current().tid.into());
    put(Field::GrantedMonotonic, now);
    put(Field::GrantedWall, wall);
    put(Field::ReleasedMonotonic, 0);
    put(Field::Handed, 0);
    if Field::Writer.of(words).load(Ordering::Relaxed) != writer.0 {
        about(words, name, writer, &process());
    }
}

/// What is the same in all grants to one process.
#[cold]
fn about(words: &Words, name: &str, writer: Owner, process: &Process) {
    let put = |field: Field, value| field.of(words).store(value, Ordering::Relaxed);
    put(Field::Writer, 0);
    layout::write_name(words, name);
    layout::write_bytes(words, Field::Command, &process.command);
    put(Field::Pid, process.pid.into());
    put(Field::StartTime, process.start_time);
    put(Field::PidSpace, process.pid_space);
    put(Field::NetworkNamespace, process.network_namespace);
    put(Field::Image, process.image);
    put(Field::Uid, process.uid.into());
    Field::Writer.of(words).store(writer.0, Ordering::Release);
}

/// Writes when the caller, who holds the lock still, gives it back.
pub(super) fn end(words: &Words, end: u64) {
    Field::ReleasedMonotonic.of(words).store(end, Ordering::Relaxed);
}

/// Writes that `this`, the caller, who has the lock still, lets go of it: `to` the process that is sent it
/// next.
pub(super) fn handed(words: &Words, name: &str, this: &Process, to: Option<u32>) {
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
    put(Field::HandedSpace, this.pid_space);
    let by = u64::from(this.pid) << 32;
    Field::Handed.of(words).store(by | u64::from(to.unwrap_or(0)), Ordering::Release);
}
