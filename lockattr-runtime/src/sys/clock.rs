//! The clocks.

use std::mem::MaybeUninit;

use nix::libc;
use nix::time::{clock_gettime, ClockId};

use super::fork;

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes since the boot share: what a record's times
/// are compared by. (`std::time::Instant` is the same clock, but hides the number.)
pub(crate) fn monotonic() -> u64 {
    nanoseconds(ClockId::CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970 by the wall clock: for people to read, never to wait by.
pub(crate) fn wall() -> u64 {
    nanoseconds(ClockId::CLOCK_REALTIME)
}

fn nanoseconds(clock: ClockId) -> u64 {
    // Neither clock can fail (clock_gettime(2): EINVAL is for unknown clocks), nor go below zero.
    clock_gettime(clock).map_or(0, |time| {
        u64::try_from(time.tv_sec()).unwrap_or(0) * 1_000_000_000
            + u64::try_from(time.tv_nsec()).unwrap_or(0)
    })
}

/// How many seconds the machine's zone is ahead of UTC at `wall` nanoseconds since 1970. Looked up
/// once a minute at most.
pub(crate) fn utc_offset(wall: u64) -> i64 {
    let minute = wall / 60_000_000_000;
    let Ok(mut gate) = fork::gate() else { return 0 };
    gate.utc_offset(minute)
}

/// Asks the C library, which takes a lock of its own for this: not to be called in a forked child,
/// where that lock may have been copied in the hands of a thread that was not.
pub(super) fn look_up_utc_offset(seconds: u64) -> i64 {
    let seconds = libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX);
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; localtime_r writes a `tm` or returns null, and
    // then the zeroes stay, which are a valid `tm`. It reads the variable TZ (glibc once, at the first
    // call): a program that changes its environment while it has threads breaks its own promise, as
    // `std::env::set_var` says.
    let tm = unsafe {
        libc::localtime_r(&seconds, tm.as_mut_ptr());
        tm.assume_init()
    };
    #[allow(clippy::useless_conversion)] // `c_long` has 32 bits elsewhere
    tm.tm_gmtoff.into()
}
