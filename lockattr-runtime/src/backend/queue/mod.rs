//! A queue of processes at an abstract address: first come, first served.
//!
//! The *head* owns the socket that listens there. Others connect to it and sleep; the accept queue of the
//! socket is the queue. The head that leaves passes the socket itself to the first of them. For the port
//! backend to be the head is to hold the lock; for the others, to be next in turn.
//!
//! Why no head is lost or doubled here:
//! - A process that owns the listening socket is the head. It is one socket, whatever copies of its descriptor there
//!   are: the holder's, one on its way in a message, the receiver's.
//! - A head that hands off sends first and closes its own copy then, so the address stays bound.
//!   It stops acting as the head before it sends: no two act at once.
//! - If the receiver dies before it reads the message, the kernel drops what is in its socket, the
//!   listening socket with it: the address is free, and everybody in the queue is woken.
//! - A waiter that gives up shuts its connection down first. From then on no message can come
//!   (`unix_stream_sendmsg` in the kernel's `net/unix/af_unix.c` fails with `EPIPE` where the receiver has
//!   `RCV_SHUTDOWN`, under the same lock that `shutdown` sets it under), and what came before is
//!   still there to be read: one last look tells for certain.

mod address;
#[cfg(feature = "async")]
mod reactor;
mod sockets;

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::libc;
use socket2::SockAddr;

use super::Failure;
use crate::backoff::Backoff;
use crate::sys::closer::Tally;
use crate::sys::poll;
use crate::sys::socket::{belongs_to, receive_socket, send_descriptor, ForkSocket, Received};
use crate::sys::spent;
use address::Waiters;
use sockets::{listen, Joined};

pub(super) use address::bytes_of_port;
#[cfg(feature = "async")]
pub(super) use reactor::wait_readable;
pub(super) use sockets::{connect, Bound, Connected};

/// The longest pause between two looks at a lock that cannot be queued for: as often as k3portlock
/// looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// Where processes queue for a lock.
#[derive(Debug)]
pub(super) struct Queue {
    /// The lock's name, for the addresses of its waiters.
    name: Box<str>,
    address: SockAddr,
    waiters: Waiters,
    /// How many threads and tasks of this process are in the queue.
    waiting: AtomicUsize,
    /// What heads have sent that is no lock, and is not closed yet.
    unclosed: Arc<Tally>,
}

/// Who queues, for what comes with being the head.
pub(super) trait Line {
    fn queue(&self) -> &Queue;

    /// Gives away the socket of a head that has come and is not wanted.
    fn pass_on(&self, listener: ForkSocket);
}

/// One process's way to the head, as a machine that never blocks by itself: its driver sleeps between the
/// steps.
#[derive(Debug)]
pub(super) struct Acquisition<L: Line> {
    line: L,
    /// The connection in the queue.
    queued: Option<ForkSocket>,
    /// Since when.
    queued_at: Instant,
    backoff: Backoff,
    /// How many connections in a row ended at once without the socket.
    losses: u32,
}

/// Where an [`Acquisition`] is after a step.
pub(super) enum Step {
    /// This process owns the listening socket.
    Acquired(ForkSocket),
    /// In the queue: the next step is due when [`Acquisition::connection`] can be read.
    Queued,
    /// Where nobody will tell: the next step is due after a pause.
    Barred(Duration),
}

impl<L: Line> Acquisition<L> {
    pub(super) fn new(line: L) -> Self {
        Self {
            line,
            queued: None,
            queued_at: Instant::now(),
            backoff: Backoff::up_to(LONGEST_PAUSE),
            losses: 0,
        }
    }

    /// Goes as far as is possible without waiting.
    pub(super) fn advance(&mut self) -> Result<Step, Failure> {
        /// After so many connections that ended at once, what listens there is no lockattr.
        const PATIENCE: u32 = 4;

        if let Some(connection) = self.take_queued() {
            match self.line.queue().receive(&connection)? {
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
        let unbound = match self.line.queue().bind()? {
            Bound::Held(listener) => return Ok(Step::Acquired(listener)),
            Bound::Taken(unbound) => unbound,
        };
        if self.losses > PATIENCE {
            // One connection more after each pause, and the pauses grow.
            self.losses = PATIENCE;
            return Ok(Step::Barred(self.backoff.next()));
        }
        if self.line.queue().unclosed.is_high() {
            return Ok(Step::Barred(LONGEST_PAUSE)); // each connection there may bring more to close
        }
        Ok(match self.line.queue().join(unbound)? {
            Joined::Queued(connection) => {
                // What can be done before the lock comes is done while others have it.
                spent::close();
                connection.network();
                self.queued_at = Instant::now();
                self.queue(connection)
            }
            Joined::Barred => Step::Barred(self.backoff.next()),
        })
    }

    fn queue(&mut self, connection: ForkSocket) -> Step {
        self.line.queue().waiting.fetch_add(1, Ordering::Relaxed);
        self.queued = Some(connection);
        Step::Queued
    }

    /// In a forked child the place in the queue is still the parent's.
    fn take_queued(&mut self) -> Option<ForkSocket> {
        let queued = self.queued.take()?;
        self.line.queue().waiting.fetch_sub(1, Ordering::Relaxed);
        Some(queued).filter(|connection| !connection.is_an_ancestors())
    }

    /// The place in the queue.
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
        match self.line.queue().receive(&connection)? {
            Message::Lock(listener) => Ok(Some(listener)),
            Message::None | Message::Ended => Ok(None),
        }
    }
}

/// A process that stops waiting without a word (an error, a cancelled future) passes on what it was just
/// handed, so that the queue moves on in order.
impl<L: Line> Drop for Acquisition<L> {
    fn drop(&mut self) {
        if let Ok(Some(listener)) = self.leave() {
            self.line.pass_on(listener);
        }
    }
}

enum Message {
    None,
    Lock(ForkSocket),
    Ended,
}

impl Queue {
    /// Of a port lock. The name has been checked.
    pub(super) fn of_port(name: &str) -> Self {
        Self::new(name, address::of_port(name), Waiters::PORT)
    }

    /// Of the waiters for a semaphore whose record is in the file of this inode.
    pub(super) fn of_semaphore(name: &str, inode: u64) -> Self {
        Self::new(name, address::of_turnstile(name, inode), Waiters::SEMAPHORE)
    }

    /// Of the waiters for a TCP lock.
    pub(super) fn of_tcp(name: &str) -> Self {
        Self::new(name, address::of_tcp_turnstile(name), Waiters::TCP)
    }

    fn new(name: &str, address: SockAddr, waiters: Waiters) -> Self {
        Self {
            name: name.into(),
            address,
            waiters,
            waiting: AtomicUsize::new(0),
            unclosed: Arc::default(),
        }
    }

    pub(super) fn address(&self) -> &SockAddr {
        &self.address
    }

    /// Whether no thread and no task of this process is in the queue.
    pub(super) fn is_waited_in_by_none(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// Looks once whether the socket has come.
    fn receive(&self, connection: &ForkSocket) -> Result<Message, Failure> {
        match receive_socket(connection).map_err(Failure::io("look into the lock's queue"))? {
            Received::Nothing => Ok(Message::None),
            // Anybody can have bound the address and send anything: only the socket that is bound there
            // is the queue's.
            Received::Socket(socket) if self.takes_up(&socket)? => {
                connection.carries_a_lock();
                Ok(Message::Lock(socket))
            }
            Received::Socket(other) => {
                other.discard(connection);
                Ok(Message::Ended)
            }
            Received::Ended => Ok(Message::Ended),
            // It stays in the queue of the connection, and goes with that.
            Received::Dropped => {
                Err(Failure::io("receive the lock")(io::Error::from_raw_os_error(libc::EMFILE)))
            }
        }
    }

    /// Listens with a socket that has come, if it is the queue's: anybody can have bound the address, and
    /// send anything.
    fn takes_up(&self, socket: &ForkSocket) -> Result<bool, Failure> {
        if !belongs_to(socket, &self.address) {
            return Ok(false);
        }
        // Its sender can have had it blocking, and this process accepts under the gate.
        socket.set_nonblocking(true).map_err(Failure::io("prepare the lock's socket"))?;
        match listen(socket) {
            Ok(()) => Ok(true),
            // A connection from that address, or one that was accepted there.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
            Err(error) => Err(Failure::io("listen at the lock's address")(error)),
        }
    }

    /// Passes the socket to the first in the queue, or frees the address if there is none; whether it was
    /// sent. The caller does not act as the head any more.
    ///
    /// `note` is called with the waiter that it is sent to, before: a receiver that is stopped takes it up
    /// when it goes on, and until then nothing but the note can tell who keeps it. It is called without one
    /// where that was in vain.
    pub(super) fn hand_off(
        &self,
        listener: ForkSocket,
        note: impl Fn(Option<&ForkSocket>),
    ) -> bool {
        /// So many entries of waiters that have gone are passed over, and for so long. Then the queue is
        /// let go, with the lock, and all who still wait come again.
        const DEAD: u32 = 256;
        const PATIENCE: Duration = Duration::from_millis(5);

        /// So many observers are told after the release; more would use up the descriptors, and are told
        /// a moment early, which harms nobody.
        const OBSERVERS: usize = 32;

        let mut observers = Vec::new();
        let (mut sent_over, mut is_let_go) = (None, false);
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
                Ok((connection, address)) if self.waiters.include(&address) => {
                    note(Some(&connection));
                    let Err(error) = send_descriptor(&connection, listener.as_fd()) else {
                        sent_over = Some(connection);
                        break;
                    };
                    note(None);
                    if has_gone(&error) {
                        passed_over += 1;
                    } else {
                        // Nothing can be sent (ETOOMANYREFS): let all see for themselves.
                        observers.push(connection);
                        is_let_go = true;
                        break;
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
        let is_sent = sent_over.is_some();
        if let Some(connection) = sent_over {
            spent::set_aside(connection);
        }
        is_sent
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
