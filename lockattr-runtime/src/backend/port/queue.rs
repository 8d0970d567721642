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
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::libc;

use super::sockets::{listen, Bound, Joined};
use super::{address, Failure, Port};
use crate::backend::Backoff;
use crate::record::Page;
use crate::sys::closer;
use crate::sys::poll;
use crate::sys::socket::{listens_at, peer, receive_socket, send_descriptor, ForkSocket, Received};

/// The longest pause between two looks at a lock that cannot be queued for: as often as k3portlock
/// looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// One acquire under way, as a machine that never blocks by itself: whoever drives it sleeps between
/// the steps as it sees fit.
pub(super) struct Acquisition<'a> {
    port: &'a Port,
    /// The connection in the holder's queue.
    queued: Option<ForkSocket>,
    /// Since when.
    queued_at: Instant,
    backoff: Backoff,
    /// How many connections in a row ended at once without a lock.
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
        Self {
            port,
            queued: None,
            queued_at: Instant::now(),
            backoff: Backoff::up_to(LONGEST_PAUSE),
            losses: 0,
        }
    }

    /// Goes as far as is possible without waiting.
    pub(super) fn advance(&mut self) -> Result<Step, Failure> {
        /// After so many connections that ended at once, whoever listens is no lockattr.
        const PATIENCE: u32 = 4;

        if let Some(connection) = self.take_queued() {
            match self.port.receive(&connection)? {
                Message::None => return Ok(self.queue(connection)),
                Message::Lock(listener) => return Ok(Step::Acquired(listener)),
                Message::Ended if self.queued_at.elapsed() < LONGEST_PAUSE => self.losses += 1,
                // That was a queue, whatever became of it.
                Message::Ended => {
                    self.losses = 0;
                    self.backoff = Backoff::up_to(LONGEST_PAUSE);
                }
            }
        }
        let unbound = match self.port.bind()? {
            Bound::Held(listener) => return Ok(Step::Acquired(listener)),
            Bound::Taken(unbound) => unbound,
        };
        if self.losses > PATIENCE {
            // One connection more after each pause, and the pauses grow.
            self.losses = PATIENCE;
            return Ok(Step::Barred(self.backoff.next()));
        }
        if closer::is_behind() {
            return Ok(Step::Barred(LONGEST_PAUSE)); // each connection there may bring more to close
        }
        Ok(match self.port.join(unbound)? {
            Joined::Queued(connection) => {
                self.queued_at = Instant::now();
                self.queue(connection)
            }
            Joined::Barred => Step::Barred(self.backoff.next()),
        })
    }

    fn queue(&mut self, connection: ForkSocket) -> Step {
        self.port.waiting.fetch_add(1, Ordering::Relaxed);
        self.queued = Some(connection);
        Step::Queued
    }

    /// In a forked child the place in the queue is still the parent's.
    fn take_queued(&mut self) -> Option<ForkSocket> {
        let queued = self.queued.take()?;
        self.port.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(queued).filter(|connection| !connection.is_an_ancestors())
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
            self.port.pass_on(listener);
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
                connection.carries_a_lock();
                // Who sent it can have had it blocking, and this process accepts under the gate.
                socket.set_nonblocking(true).map_err(Failure::io("prepare the lock's socket"))?;
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

impl Port {
    /// Gives away a lock that has come and is not kept: without a grant, so the record of the last one
    /// stays.
    pub(super) fn pass_on(&self, listener: ForkSocket) {
        let page = self.record.page();
        // The kernel names this process since its `listen`.
        page.write_handed(&self.name, None);
        self.hand_off(listener, &page);
    }

    /// Passes the lock to the first in the queue, or frees it if there is none. The caller does not act
    /// as the holder any more.
    ///
    /// Whom it goes to is written down before it is sent: a receiver that is stopped takes it up when it
    /// goes on, and until then nobody but the record can tell who keeps it.
    pub(super) fn hand_off(&self, listener: ForkSocket, page: &Page) {
        /// So many entries of waiters that have gone are passed over, and for so long. Then the queue is
        /// let go, with the lock, and all who still wait come again.
        const DEAD: u32 = 256;
        const PATIENCE: Duration = Duration::from_millis(5);

        /// So many observers are told after the release; more would use up the descriptors, and are told
        /// a moment early, which harms nobody.
        const OBSERVERS: usize = 32;

        let mut observers = Vec::new();
        let mut is_let_go = false;
        let mut passed_over = 0;
        let mut start = None;
        // An `accept` that finds nothing has made a socket for nothing: 3.5 us, poll 0.3.
        while poll::is_readable(&listener) {
            let start = *start.get_or_insert_with(Instant::now);
            if passed_over >= DEAD || start.elapsed() > PATIENCE {
                is_let_go = true;
                break;
            }
            match listener.accept_one() {
                Ok((connection, address)) if address::is_waiters(&address) => {
                    match self.send(&connection, &listener, page) {
                        Err(error) if has_gone(&error) => passed_over += 1,
                        Ok(()) => break,
                        // Nothing can be sent (ETOOMANYREFS): let all see for themselves.
                        Err(_) => {
                            observers.push(connection);
                            is_let_go = true;
                            break;
                        }
                    }
                }
                Ok((connection, _)) if observers.len() < OBSERVERS => observers.push(connection),
                Ok((connection, _)) => {
                    hang_up(&connection);
                    passed_over += 1;
                }
                Err(error) if has_gone(&error) => {}
                // No descriptor to accept with: let all see for themselves.
                Err(_) => {
                    is_let_go = true;
                    break;
                }
            }
        }
        if is_let_go {
            listener.close_within(PATIENCE);
        } else {
            drop(listener);
        }
        observers.iter().for_each(hang_up);
    }

    /// Sends the lock to a waiter, and writes down that it is on its way there.
    fn send(&self, waiter: &ForkSocket, listener: &ForkSocket, page: &Page) -> io::Result<()> {
        let note = |to| page.write_handed(&self.name, to);
        note(peer(waiter).ok().and_then(|peer| peer.pid));
        let sent = send_descriptor(waiter, listener.as_fd());
        if sent.is_err() {
            note(None);
        }
        sent
    }
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
