//! Waiting for a descriptor, or for the clock.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
pub(crate) use std::os::fd::{AsFd as AsDescriptor, BorrowedFd as Descriptor};
use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
use nix::poll::ppoll;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
use nix::poll::{poll, PollTimeout};
use nix::poll::{PollFd, PollFlags};
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
use nix::sys::time::TimeSpec;

/// Sleeps until `descriptor` can be read or has hung up, at most for `timeout` (for ever if none).
/// May return early, when a signal was handled: look, and wait again.
///
/// The timeout runs on `CLOCK_MONOTONIC` (`ppoll` in the kernel's `fs/select.c`) with nanoseconds;
/// `poll` would round a deadline to a millisecond, as it does on macOS.
pub(crate) fn wait_readable(descriptor: &impl AsFd, timeout: Option<Duration>) -> io::Result<()> {
    wait_any_readable([descriptor.as_fd()], timeout)
}

/// As [`wait_readable`], for the first of several.
pub(crate) fn wait_any_readable<const N: usize>(
    descriptors: [BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<()> {
    ready(descriptors, timeout).map(drop)
}

/// As [`wait_readable`], for the first of as many as there are; with none it is a pause.
pub(crate) fn wait_any<'a>(
    descriptors: impl Iterator<Item = BorrowedFd<'a>>,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let mut descriptors: Vec<_> = descriptors.map(readable).collect();
    any_ready(&mut descriptors, timeout).map(drop)
}

/// Whether `descriptor` can be read or has hung up, now.
pub(crate) fn is_readable(descriptor: &impl AsFd) -> bool {
    ready([descriptor.as_fd()], Some(Duration::ZERO)).unwrap_or(true)
}

fn ready<const N: usize>(
    descriptors: [BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<bool> {
    any_ready(&mut descriptors.map(readable), timeout)
}

fn readable(descriptor: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::new(descriptor, PollFlags::POLLIN)
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn call(descriptors: &mut [PollFd<'_>], timeout: Option<Duration>) -> nix::Result<i32> {
    ppoll(descriptors, timeout.map(TimeSpec::from), None)
}

/// Without `ppoll` it takes milliseconds. Rounded up: to return early would mean to look again and again.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn call(descriptors: &mut [PollFd<'_>], timeout: Option<Duration>) -> nix::Result<i32> {
    let milliseconds = |time: Duration| time.as_nanos().div_ceil(1_000_000);
    let timeout = timeout.map_or(PollTimeout::NONE, |timeout| {
        PollTimeout::try_from(milliseconds(timeout)).unwrap_or(PollTimeout::MAX)
    });
    poll(descriptors, timeout)
}

fn any_ready(descriptors: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<bool> {
    // A timeout beyond what a timespec holds is one for ever.
    let timeout = timeout.filter(|timeout| i32::try_from(timeout.as_secs()).is_ok());
    loop {
        match call(descriptors, timeout) {
            Ok(ready) => return Ok(ready > 0),
            // Also of a look that does not wait, where a signal is pending: that would not be an answer.
            Err(nix::Error::EINTR) if timeout == Some(Duration::ZERO) => {}
            Err(nix::Error::EINTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}
