//! Times that mean the same in all processes.

use std::hint;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{getrusage, UsageWho};
use nix::sys::time::TimeValLike;
use nix::time::{clock_gettime, ClockId};

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes of the machine share.
///
/// # Panics
/// If there is no such clock.
#[must_use]
pub fn now() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

fn read(clock: ClockId) -> u64 {
    let time = clock_gettime(clock).expect("a clock of Linux");
    time.tv_sec().unsigned_abs() * 1_000_000_000 + time.tv_nsec().unsigned_abs()
}

/// Sleeps until that time of [`now`].
pub fn sleep_until(time: u64) {
    thread::sleep(Duration::from_nanos(time.saturating_sub(now())));
}

/// Works for this long, and says how much of that it was on a processor, in nanoseconds. A sleep would be longer
/// by what the timer adds, each time. One process holds the lock at a time, so one core spins, however many
/// processes there are.
#[must_use]
pub fn spin(length: Duration) -> u64 {
    if length.is_zero() {
        return 0;
    }
    let start = Instant::now();
    let processor = read(ClockId::CLOCK_THREAD_CPUTIME_ID);
    while start.elapsed() < length {
        hint::spin_loop();
    }
    read(ClockId::CLOCK_THREAD_CPUTIME_ID) - processor
}

/// The time that this process has spent on processors, in nanoseconds.
///
/// # Panics
/// If the kernel does not tell.
#[must_use]
pub fn processor_time() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may ask for its own usage");
    (usage.user_time() + usage.system_time()).num_nanoseconds().unsigned_abs()
}
