//! Where in a record's page each field is.
//!
//! ```text
//! byte    0  text, NUL-terminated; its first word is written last
//!      3584  magic, version, owner word, sequence, the process and its namespaces, thread, times of
//!            the grant and the release, command, name
//! ```
//!
//! All numbers are 64-bit words of the machine's byte order: the page never leaves the machine.

use std::sync::atomic::{fence, AtomicU64, Ordering};

use crate::sys::mapping::{Words, PAGE_WORDS};
use crate::sys::process::{Identity, COMMAND_BYTES};

const WORD_BYTES: usize = 8;

/// The words of the text at the page's start.
pub(super) const TEXT_WORDS: usize = PAGE_WORDS - 64;
pub(super) const TEXT_BYTES: usize = TEXT_WORDS * WORD_BYTES;

/// The bytes that a name may have in a record; the longest that any backend allows is shorter.
pub(super) const NAME_BYTES: usize = 256;

pub(super) const MAGIC: u64 = u64::from_ne_bytes(*b"lockattr");
pub(super) const VERSION: u64 = 4;

/// A word, or the first of several.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub(super) enum Field {
    Magic = TEXT_WORDS,
    Version,
    /// Who owns a semaphore's lock: see [`owner`](super::owner). It is none of what [`Writing`]
    /// guards.
    Owner,
    /// Odd while the record is being written: see [`Writing`].
    Sequence,
    /// The process that the record is about, as in an owner word; 0 while another one writes its own.
    Writer,
    Pid,
    PidNamespace,
    StartTime,
    TimeNamespace,
    Image,
    Random,
    /// Of a port lock's socket.
    Network,
    Uid,
    Thread,
    GrantedMonotonic,
    GrantedWall,
    /// 0 while the lock is held.
    ReleasedMonotonic,
    /// Of the text that the last writer wrote: another text is not its own.
    TextDigest,
    /// How many bytes the text may have where somebody has mapped fewer than the page; 0 if nobody.
    TextLimit,
    /// Of an owner of a semaphore's lock, which semaphore it has: see [`owned`](super::owned).
    Signature,
    /// Who has let go of a port lock (upper half), and the process it is on its way to (lower half, 0 if
    /// to none); 0 from each grant on.
    Handed,
    /// Where these two pids are valid: see [`Identity::pid_namespace`].
    HandedNamespace,
    /// When the first of those that wait for a semaphore looked at it last, by its monotonic clock; 0 if
    /// none waits. A hint: where it is wrong, order is lost, and nothing else.
    Waiting,
    NameLength,
    Command,
    Name = Self::Command as usize + COMMAND_BYTES / WORD_BYTES,
}

const _: () = assert!(Field::Name as usize + NAME_BYTES / WORD_BYTES <= PAGE_WORDS);

/// The process that a record is about. `get` reads a field of it.
pub(super) fn identity(get: impl Fn(Field) -> u64) -> Identity {
    Identity {
        pid: u32::try_from(get(Field::Pid)).unwrap_or(0),
        pid_namespace: get(Field::PidNamespace),
        start_time: get(Field::StartTime),
        time_namespace: get(Field::TimeNamespace),
        image: get(Field::Image),
    }
}

impl Field {
    pub(super) fn of(self, words: &Words) -> &AtomicU64 {
        &words[self as usize]
    }
}

/// Writes `bytes`, padded with zeroes to whole words.
pub(super) fn write_bytes(words: &Words, field: Field, bytes: &[u8]) {
    for (word, chunk) in words[field as usize..].iter().zip(bytes.chunks(WORD_BYTES)) {
        let mut padded = [0; WORD_BYTES];
        padded[..chunk.len()].copy_from_slice(chunk);
        word.store(u64::from_ne_bytes(padded), Ordering::Relaxed);
    }
}

pub(super) fn write_name(words: &Words, name: &str) {
    let name = &name.as_bytes()[..name.len().min(NAME_BYTES)];
    Field::NameLength.of(words).store(name.len() as u64, Ordering::Relaxed);
    write_bytes(words, Field::Name, name);
}

/// While it lives, the record is being written, and readers can tell: a sequence lock. A writer
/// that is killed leaves the sequence odd; readers then know nothing until the next grant.
pub(super) struct Writing<'a> {
    words: &'a Words,
    odd: u64,
}

impl<'a> Writing<'a> {
    pub(super) fn begin(words: &'a Words) -> Self {
        let odd = Field::Sequence.of(words).load(Ordering::Relaxed) | 1;
        Field::Sequence.of(words).store(odd, Ordering::Relaxed);
        // No write of the fields becomes visible before the odd sequence does.
        fence(Ordering::Release);
        Field::Magic.of(words).store(MAGIC, Ordering::Relaxed);
        Field::Version.of(words).store(VERSION, Ordering::Relaxed);
        Self { words, odd }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // Every write of the fields is visible before the even sequence is.
        Field::Sequence.of(self.words).store(self.odd.wrapping_add(1), Ordering::Release);
    }
}
