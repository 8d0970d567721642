//! Waiting for the lock in the holder's queue, and the hand-off to the first who waits.
//!
//! Why no lock is lost or doubled here:
//! - Who owns the listening socket holds. It is one socket, whatever copies of its descriptor there
//!   are: the holder's, one on its way in a message, the receiver's.
//! - A holder that hands off sends first and closes its own copy then, so the address stays bound.
//!   It stops acting as holder before it sends: no two act at once.
//! - If the receiver dies before it reads the message, the kernel drops what is in its socket, the
//!   listening socket with it: the address is free, and everybody in the queue is woken.
//! - A waiter that gives up shuts its connection down first. From then on no message can come
//!   (`unix_stream_sendmsg` in the kernel's `net/unix/af_unix.c` fails with `EPIPE` where the receiver has
//!   `RCV_SHUTDOWN`, under the same lock that `shutdown` sets it under), and what came before is
//!   still there to be read: one last look tells for certain.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::libc;

use super::sockets::{listen, Bound, Joined};
use super::{address, Failure, Port};
use crate::backend::Backoff;
use crate::sys::poll;
use crate::sys::socket::{listens_at, receive_socket, send_descriptor, ForkSocket, Received};

/// The longest pause between two looks at a lock that cannot be queued for: as often as k3portlock
/// looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// One acquire under way, as a machine that never blocks by itself: whoever drives it sleeps between
/// the steps as it sees fit.
pub(super) struct Acquisition<'a> {
    port: &'a Port,
    /// The connection in the holder's queue.
    queued: Option<ForkSocket>,
    backoff: Backoff,
    /// How many connections in a row ended without a lock.
    losses: u32,
}

/// Where an [`Acquisition`] is after a step.
pub(super) enum Step {
    /// This process owns the listening socket.
    Acquired(ForkSocket),
    /// In the holder's queue: the next step is due when [`Acquisition::connection`] can be read.
    Queued,
    /// Where nobody will tell: the next step is due after a pause.
    Barred(Duration),
}

impl<'a> Acquisition<'a> {
    pub(super) fn new(port: &'a Port) -> Self {
        Self { port, queued: None, backoff: Backoff::up_to(LONGEST_PAUSE), losses: 0 }
    }

    /// Goes as far as is possible without waiting.
    pub(super) fn advance(&mut self) -> Result<Step, Failure> {
        /// After so many connections that ended at once, whoever listens is no lockattr.
        const PATIENCE: u32 = 4;

        if let Some(connection) = self.take_queued() {
            match self.port.receive(&connection)? {
                Message::None => return Ok(self.queue(connection)),
                Message::Lock(listener) => return Ok(Step::Acquired(listener)),
                Message::Ended => self.losses += 1,
            }
        }
        let unbound = match self.port.bind()? {
            Bound::Held(listener) => return Ok(Step::Acquired(listener)),
            Bound::Taken(unbound) => unbound,
        };
        if self.losses > PATIENCE {
            self.losses = 0;
            return Ok(Step::Barred(self.backoff.next()));
        }
        Ok(match self.port.join(unbound)? {
            Joined::Queued(connection) => self.queue(connection),
            Joined::Barred => Step::Barred(self.backoff.next()),
        })
    }

    fn queue(&mut self, connection: ForkSocket) -> Step {
        self.backoff = Backoff::up_to(LONGEST_PAUSE);
        self.queued = Some(connection);
        Step::Queued
    }

    /// In a forked child the place in the queue is still the parent's.
    fn take_queued(&mut self) -> Option<ForkSocket> {
        self.queued.take().filter(|connection| !connection.is_an_ancestors())
    }

    /// The place in the holder's queue.
    pub(super) fn connection(&self) -> Option<&ForkSocket> {
        self.queued.as_ref()
    }

    /// Leaves the queue, unless the lock came in the last moment.
    pub(super) fn leave(&mut self) -> Result<Option<ForkSocket>, Failure> {
        let Some(connection) = self.take_queued() else {
            return Ok(None);
        };
        // From here on nothing more can come. Fails only where the other end is gone already.
        let _ = connection.shutdown(Shutdown::Both);
        match self.port.receive(&connection)? {
            Message::Lock(listener) => Ok(Some(listener)),
            Message::None | Message::Ended => Ok(None),
        }
    }
}

/// Whoever stops waiting without a word (an error, a cancelled future) passes on what it was just
/// handed, so that the queue moves on in order.
impl Drop for Acquisition<'_> {
    fn drop(&mut self) {
        if let Ok(Some(listener)) = self.leave() {
            hand_off(listener);
        }
    }
}

enum Message {
    None,
    Lock(ForkSocket),
    Ended,
}

impl Port {
    /// Looks once whether the lock has come.
    fn receive(&self, connection: &ForkSocket) -> Result<Message, Failure> {
        match receive_socket(connection).map_err(Failure::io("look into the lock's queue"))? {
            Received::Nothing => Ok(Message::None),
            // Anybody can have bound the address and send what he likes: only the socket that is
            // bound there is the lock.
            Received::Socket(socket) if listens_at(&socket, &self.address) => {
                listen(socket).map(Message::Lock)
            }
            Received::Socket(other) => {
                other.discard();
                Ok(Message::Ended)
            }
            Received::Ended => Ok(Message::Ended),
            Received::Dropped => {
                Err(Failure::io("receive the lock")(io::Error::from_raw_os_error(libc::EMFILE)))
            }
        }
    }
}

/// Passes the lock to the first in the queue, or frees it if there is none. The caller does not act
/// as the holder any more.
pub(super) fn hand_off(listener: ForkSocket) {
    /// Where the queue is refilled as fast as it is emptied, by nobody who takes the lock, it is let
    /// go: no more than a full queue of the usual size is looked through.
    const ENTRIES: usize = 4096;

    /// So many observers are told after the release; more would use up the descriptors, and are told
    /// a moment early, which harms nobody.
    const OBSERVERS: usize = 32;

    let mut observers = Vec::new();
    for _ in 0..ENTRIES {
        // An `accept` that finds nothing has made a socket for nothing: 3.5 us, poll 0.3.
        if !poll::is_readable(&listener) {
            break;
        }
        match listener.accept_one() {
            Ok((connection, address)) if address::is_waiters(&address) => {
                match send_descriptor(&connection, listener.as_fd()) {
                    Err(error) if has_gone(&error) => {}
                    Ok(()) => break,
                    // Nothing can be sent (ETOOMANYREFS): let all see for themselves.
                    Err(_) => {
                        observers.push(connection);
                        break;
                    }
                }
            }
            Ok((connection, _)) if observers.len() < OBSERVERS => observers.push(connection),
            Ok((connection, _)) => hang_up(&connection),
            Err(error) if has_gone(&error) => {}
            // No descriptor to accept with: let all see for themselves.
            Err(_) => break,
        }
    }
    drop(listener);
    observers.iter().for_each(hang_up);
}

/// Ends a connection, also for a copy of it in a child that was just spawned.
fn hang_up(connection: &ForkSocket) {
    // Fails only where the other end has gone already.
    let _ = connection.shutdown(Shutdown::Both);
}

/// Whether an error is about one waiter that waits no more, and no sign of trouble on this side.
fn has_gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EPIPE | libc::ECONNRESET | libc::ECONNABORTED | libc::ENOTCONN | libc::EINTR)
    )
}
