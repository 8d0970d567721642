//! Waiting for a socket, or for the clock.

use std::io;
use std::os::windows::io::AsRawSocket as _;
pub(crate) use std::os::windows::io::{AsSocket as AsDescriptor, BorrowedSocket as Descriptor};
use std::thread;
use std::time::Duration;

use windows_sys::Win32::Networking::WinSock::{WSAPoll, POLLRDNORM, SOCKET_ERROR, WSAPOLLFD};

/// Sleeps until `descriptor` can be read or has hung up, at most for `timeout` (for ever if none). May return early.
pub(crate) fn wait_readable(
    descriptor: &impl AsDescriptor,
    timeout: Option<Duration>,
) -> io::Result<()> {
    wait_any([descriptor.as_socket()].into_iter(), timeout)
}

/// As [`wait_readable`], for the first of as many as there are; with none it is a pause.
pub(crate) fn wait_any<'a>(
    descriptors: impl Iterator<Item = Descriptor<'a>>,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let mut descriptors: Vec<_> = descriptors.map(readable).collect();
    match timeout {
        // It refuses to wait for none.
        Some(timeout) if descriptors.is_empty() => thread::sleep(timeout),
        _ => drop(any_ready(&mut descriptors, timeout)?),
    }
    Ok(())
}

/// Whether `descriptor` can be read or has hung up, now.
pub(crate) fn is_readable(descriptor: &impl AsDescriptor) -> bool {
    any_ready(&mut [readable(descriptor.as_socket())], Some(Duration::ZERO)).unwrap_or(true)
}

fn readable(descriptor: Descriptor<'_>) -> WSAPOLLFD {
    #[allow(clippy::cast_possible_truncation)] // as std's `RawSocket` is made
    let fd = descriptor.as_raw_socket() as usize;
    WSAPOLLFD { fd, events: POLLRDNORM, revents: 0 }
}

fn any_ready(descriptors: &mut [WSAPOLLFD], timeout: Option<Duration>) -> io::Result<bool> {
    const FOR_EVER: i32 = -1;

    // Milliseconds, rounded up: to return early would mean to look again and again.
    let milliseconds = |time: Duration| i32::try_from(time.as_nanos().div_ceil(1_000_000));
    let timeout = timeout.map_or(FOR_EVER, |time| milliseconds(time).unwrap_or(i32::MAX));
    let count = u32::try_from(descriptors.len()).unwrap_or(u32::MAX);
    // SAFETY: the pointer is to so many of them. All are open, as they were borrowed for longer than this call.
    let ready = unsafe { WSAPoll(descriptors.as_mut_ptr(), count, timeout) };
    if ready == SOCKET_ERROR {
        return Err(io::Error::last_os_error());
    }
    Ok(ready > 0)
}
