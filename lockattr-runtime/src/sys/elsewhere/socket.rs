//! Stream sockets that no child keeps.

use std::io;
use std::ops::Deref;
#[cfg(unix)]
pub(crate) use std::os::fd::OwnedFd as Owned;
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, IntoRawFd as _};
#[cfg(windows)]
pub(crate) use std::os::windows::io::OwnedSocket as Owned;
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};

use socket2::{Domain, Socket, Type};

#[cfg(unix)]
use crate::sys::descriptors;
use crate::sys::fork;
use crate::sys::generation::generation;
use crate::sys::namespace::Network;
use crate::sys::poll::Descriptor;

/// A socket that a forked child does not keep: see [`fork`]. Close-on-exec, never blocking.
#[derive(Debug)]
pub(crate) struct ForkSocket {
    /// Always there but in the drop.
    socket: Option<Socket>,
    generation: u32,
}

impl ForkSocket {
    /// A new, unbound socket for ports: see [`tcp`](crate::sys::tcp).
    pub(crate) fn new_tcp() -> io::Result<Self> {
        // Without it, a system where sockets are made close-on-exec by a second call might fork in between.
        let _gate = fork::gate()?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        #[cfg(windows)]
        crate::sys::windows::exclusive::own_alone(&socket)?;
        #[cfg(unix)]
        descriptors::enter(socket.as_raw_fd());
        Ok(Self { socket: Some(socket), generation: generation() })
    }

    /// For a wait.
    pub(crate) fn descriptor(&self) -> Descriptor<'_> {
        #[cfg(unix)]
        return self.as_fd();
        #[cfg(windows)]
        return self.as_socket();
    }

    /// The network namespace that this belongs to.
    #[allow(clippy::unused_self)] // as on Linux
    pub(crate) fn network(&self) -> Network {
        Network::UNKNOWN
    }

    /// Whether this socket was made before a fork, and so is closed in this process.
    pub(crate) fn is_an_ancestors(&self) -> bool {
        self.generation != generation()
    }
}

/// The network namespace of the calling thread.
#[allow(clippy::unnecessary_wraps)] // as on Linux, where it may fail
pub(crate) fn network_here() -> io::Result<Network> {
    Ok(Network::UNKNOWN)
}

/// One descriptor for two sockets.
///
/// # Errors
/// `Unsupported`: elsewhere than on Linux, sockets on their way may be lost.
pub(crate) fn bundle(_: [Descriptor<'_>; 2]) -> io::Result<Owned> {
    let reason = "a lock is left to a descriptor on Linux only";
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

impl Deref for ForkSocket {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        match &self.socket {
            Some(socket) => socket,
            None => unreachable!("only the drop takes it"),
        }
    }
}

#[cfg(unix)]
impl AsFd for ForkSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        (**self).as_fd()
    }
}

#[cfg(windows)]
impl AsSocket for ForkSocket {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        (**self).as_socket()
    }
}

#[cfg(unix)]
impl Drop for ForkSocket {
    fn drop(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        // Before the gate, which a child that was made without handlers must not wait for here.
        if self.is_an_ancestors() {
            let _ = socket.into_raw_fd(); // it is closed by other means
            return;
        }
        // Under the gate: no fork sees it open and not entered. (The gate fails only in a signal handler that has
        // interrupted this thread inside of it; a fork at that moment may copy the socket.)
        let gate = fork::gate();
        descriptors::leave(socket.as_raw_fd());
        drop(socket);
        drop(gate);
    }
}
