//! The clocks.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

/// Nanoseconds since this process first asked: there are no records here that others would compare them with.
#[inline]
pub(crate) fn monotonic() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();

    // Not from 0, which is no time at all in a record.
    nanoseconds(START.get_or_init(Instant::now).elapsed().as_nanos()) + 1
}

/// Not told apart from time: no search takes long here.
pub(crate) fn work() -> u64 {
    monotonic()
}

/// Nanoseconds since 1970 by the wall clock: for people to read, never to wait by.
pub(crate) fn wall() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| nanoseconds(since.as_nanos()))
}

/// What the wall clock showed at `monotonic`, a time just read.
pub(crate) fn wall_at(_monotonic: u64) -> u64 {
    wall()
}

fn nanoseconds(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX - 1)
}

/// How many seconds the machine's zone is ahead of UTC: nobody reads a time in a zone here.
pub(crate) fn utc_offset(_seconds: u64) -> i64 {
    0
}
