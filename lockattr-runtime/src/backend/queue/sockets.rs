//! The three things that a socket of a queue does, each in one attempt.

use std::io;

use nix::libc;
use socket2::SockAddr;

use super::Queue;
use crate::backend::Failure;
use crate::sys::socket::ForkSocket;
use crate::sys::spent;

/// How many waiters and observers fit into a queue; the system caps it at `net.core.somaxconn` (4096 since
/// Linux 5.4).
const BACKLOG: libc::c_int = libc::c_int::MAX;

/// What became of an attempt to bind the queue's address.
pub(in crate::backend) enum Bound {
    /// The lock is held: the socket listens.
    Held(ForkSocket),
    /// Another socket has the address; the socket is still free to be bound elsewhere.
    Taken(ForkSocket),
}

/// What became of an attempt to join the holder's queue.
pub(super) enum Joined {
    Queued(ForkSocket),
    /// Nobody listens there (a holder that does not, like k3portlock, or one between `bind` and
    /// `listen`; or the lock has just come free), or the queue is full.
    Barred,
}

impl Queue {
    /// Tries to be the head of the queue.
    pub(in crate::backend) fn bind(&self) -> Result<Bound, Failure> {
        spent::close_if_full();
        let socket = ForkSocket::new().or_else(|_| {
            // What has been set aside may be what is missing.
            spent::close();
            ForkSocket::new()
        });
        let socket = socket.map_err(Failure::io("open a socket"))?;
        match socket.bind(&self.address) {
            Ok(()) => match listen(&socket) {
                Ok(()) => Ok(Bound::Held(socket)),
                Err(error) => Err(Failure::io("listen at the lock's address")(error)),
            },
            Err(error) if error.raw_os_error() == Some(libc::EADDRINUSE) => {
                Ok(Bound::Taken(socket))
            }
            Err(error) => Err(Failure::io("bind the lock's address")(error)),
        }
    }

    /// Joins the holder's queue with a socket that is not bound yet.
    pub(super) fn join(&self, mut socket: ForkSocket) -> Result<Joined, Failure> {
        // Only a process of the same pid in another pid namespace, or one that means harm, has bound the
        // address before. After that a handful of attempts suffices.
        const ATTEMPTS: usize = 16;

        socket.count_in(&self.unclosed);
        let first = std::iter::once_with(|| self.waiters.next(&self.name));
        let odd = (1..ATTEMPTS).map(|_| self.waiters.odd_one(&self.name));
        let bound = first
            .chain(odd)
            .map(|address| socket.bind(&address))
            .find(|bound| !has_code(bound, libc::EADDRINUSE))
            .unwrap_or_else(|| Err(io::Error::from_raw_os_error(libc::EADDRINUSE)));
        bound.map_err(Failure::io("bind an address to wait at"))?;
        match connect(&socket, &self.address) {
            Connected::Yes => Ok(Joined::Queued(socket)),
            Connected::Refused | Connected::QueueFull => Ok(Joined::Barred),
            Connected::Failed(error) => Err(Failure::io("connect to the lock's address")(error)),
        }
    }
}

/// Opens the queue. On a socket that came from another process this also makes the kernel name
/// this process as the holder (`SO_PEERCRED` tells who called `listen`, unix(7)).
pub(super) fn listen(socket: &ForkSocket) -> io::Result<()> {
    socket.listen(BACKLOG)
}

/// What became of a connection to a queue's address.
pub(in crate::backend) enum Connected {
    Yes,
    /// Nothing is there, or a socket that does not listen: the error is the same.
    Refused,
    QueueFull,
    Failed(io::Error),
}

pub(in crate::backend) fn connect(socket: &ForkSocket, address: &SockAddr) -> Connected {
    loop {
        let Err(error) = socket.connect(address) else { return Connected::Yes };
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECONNREFUSED) => return Connected::Refused,
            Some(libc::EAGAIN) => return Connected::QueueFull,
            _ => return Connected::Failed(error),
        }
    }
}

fn has_code(result: &io::Result<()>, code: libc::c_int) -> bool {
    matches!(result, Err(error) if error.raw_os_error() == Some(code))
}

#[cfg(test)]
mod tests;
