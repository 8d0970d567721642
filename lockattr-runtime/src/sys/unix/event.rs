//! A descriptor that can be read from a moment on, to wake those who poll.

use std::io;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::sys::poll;

/// It begins unset, and stays set.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) struct Event(EventFd);

/// It begins unset, and stays set. The first one can be read once there is a byte in the second one.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) struct Event(UnixStream, UnixStream);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Event {
    /// None without a free descriptor.
    pub(crate) fn new() -> Option<Self> {
        EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).ok().map(Self)
    }

    pub(crate) fn set(&self) {
        let _ = self.0.write(1); // fails only where it can be read already
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Event {
    /// None without two free descriptors.
    pub(crate) fn new() -> Option<Self> {
        let (read, write) = UnixStream::pair().ok()?;
        read.set_nonblocking(true).and_then(|()| write.set_nonblocking(true)).ok()?;
        Some(Self(read, write))
    }

    pub(crate) fn set(&self) {
        let _ = (&self.1).write(&[1]); // fails only where it can be read already
    }
}

impl Event {
    /// Sleeps until `descriptor` can be read or has hung up, or this is set; at most for `timeout`. May return early.
    pub(crate) fn wait_readable(
        &self,
        descriptor: &impl AsFd,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        poll::wait_any_readable([descriptor.as_fd(), self.0.as_fd()], timeout)
    }

    /// As [`wait_readable`](Self::wait_readable), for the first of as many as there are.
    pub(crate) fn wait_any<'a>(
        &'a self,
        descriptors: impl Iterator<Item = BorrowedFd<'a>>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        poll::wait_any(descriptors.chain([self.0.as_fd()]), timeout)
    }

    /// Ready when this is set: whether that can be waited for.
    #[cfg(feature = "async")]
    pub(crate) async fn is_set(&self) -> bool {
        match async_io::Async::new_nonblocking(self.0.as_fd()) {
            Ok(event) => event.readable().await.is_ok(),
            Err(_) => false,
        }
    }
}
