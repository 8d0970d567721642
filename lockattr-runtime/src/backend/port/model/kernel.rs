//! The kernel's part of the model: the socket bound at the lock's address, the descriptors that
//! refer to it, and the connections to it.
//!
//! - A socket is bound as long as anything refers to it: a descriptor, or a message that nobody has
//!   received (unix(7), `SCM_RIGHTS`).
//! - Its accept queue goes with it. Who is in there when it goes is told (`ECONNRESET`).
//! - A connection whose receiving end was shut down takes no message (`EPIPE`); what came before can
//!   still be read. A closed end drops what is in it.

use super::process::{Pid, Process};

/// All there is: the processes, and what the kernel knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) processes: Vec<Process>,
    /// At the lock's address. There is never more than one: who cannot bind has nothing to keep.
    pub(super) socket: Option<Socket>,
    /// What the processes wrote down. (All of them run as one user, so there is one record.)
    pub(super) record: Record,
    /// How many more deaths and shortages there will be at most.
    pub(super) faults_left: u8,
}

/// The record of the lock, as far as an observer goes by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Record {
    /// The process of the last grant.
    pub(super) about: Option<Pid>,
    /// That grant was given back.
    pub(super) has_ended: bool,
    /// Who has let go of the lock, and to whom it is on its way.
    pub(super) handed: Option<(Pid, Option<Pid>)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Socket {
    /// Who called `listen` last: whom `SO_PEERCRED` names to those who connect. None if nobody did,
    /// so that nobody can connect.
    pub(super) listening: Option<Pid>,
    pub(super) queue: Vec<Peer>,
}

/// Whose connection was accepted, or will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    Waiter(Pid),
    /// It has closed its end.
    Gone,
}

/// The descriptors of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Files {
    /// The socket that is bound at the lock's address.
    pub(super) listener: bool,
    /// A waiter's place in the queue.
    pub(super) connection: Option<Connection>,
    /// The other end of a waiter's place, at the one who releases.
    pub(super) accepted: Option<Peer>,
}

impl Files {
    pub(super) fn are_all_closed(&self) -> bool {
        !self.listener && self.connection.is_none() && self.accepted.is_none()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Connection {
    pub(super) other_end: OtherEnd,
    /// A message with the listening socket is there to be read.
    pub(super) socket_came: bool,
    pub(super) shut_down: bool,
}

impl Connection {
    /// Whether a `recvmsg` finds something: a message or the end.
    pub(super) fn is_readable(self) -> bool {
        self.socket_came || matches!(self.other_end, OtherEnd::Closed(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum OtherEnd {
    InTheQueue,
    Accepted,
    Closed(Cause),
}

/// Why a connection ended. No process can tell: it is for the properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cause {
    /// It was in the queue of a lock that was released.
    Release,
    /// It was accepted, and closed then.
    HangUp,
    /// Who held the lock has died.
    Death,
    /// Who was on its way to the lock has died, or a system call has failed.
    Mishap,
}

/// What a look at a connection finds.
#[derive(Clone, Copy)]
pub(super) enum Received {
    Nothing,
    Socket,
    Ended(Cause),
}

impl State {
    pub(super) fn files(&self, pid: Pid) -> &Files {
        &self.processes[usize::from(pid)].files
    }

    fn files_mut(&mut self, pid: Pid) -> &mut Files {
        &mut self.processes[usize::from(pid)].files
    }

    fn connection_mut(&mut self, peer: Peer) -> Option<&mut Connection> {
        let Peer::Waiter(pid) = peer else { return None };
        self.files_mut(pid).connection.as_mut()
    }

    /// `bind` to the lock's address: whether it was free.
    pub(super) fn bind(&mut self, pid: Pid) -> bool {
        let is_free = self.socket.is_none();
        if is_free {
            self.socket = Some(Socket::default());
            self.files_mut(pid).listener = true;
        }
        is_free
    }

    pub(super) fn listen(&mut self, pid: Pid) {
        let owns = self.files(pid).listener;
        if let Some(socket) = self.socket.as_mut().filter(|_| owns) {
            socket.listening = Some(pid);
        }
    }

    pub(super) fn is_listening(&self) -> bool {
        self.named_holder().is_some()
    }

    /// `connect` to the lock's address: whether somebody listens there.
    pub(super) fn connect(&mut self, pid: Pid) -> bool {
        let Some(socket) = self.socket.as_mut().filter(|it| it.listening.is_some()) else {
            return false;
        };
        socket.queue.push(Peer::Waiter(pid));
        self.files_mut(pid).connection = Some(Connection {
            other_end: OtherEnd::InTheQueue,
            socket_came: false,
            shut_down: false,
        });
        true
    }

    /// `recvmsg`: a message comes before the end.
    pub(super) fn receive(&mut self, pid: Pid) -> Received {
        let files = self.files_mut(pid);
        match files.connection.as_mut() {
            Some(connection) if connection.socket_came => {
                connection.socket_came = false;
                files.listener = true;
                Received::Socket
            }
            Some(Connection { other_end: OtherEnd::Closed(cause), .. }) => Received::Ended(*cause),
            _ => Received::Nothing,
        }
    }

    /// `shutdown` of a connection, in both directions.
    pub(super) fn shut_down(&mut self, pid: Pid) {
        if let Some(connection) = self.files_mut(pid).connection.as_mut() {
            connection.shut_down = true;
        }
    }

    /// `poll` of the listening socket: whether there is anything to accept.
    pub(super) fn is_anyone_queued(&self, pid: Pid) -> bool {
        self.files(pid).listener && self.socket.as_ref().is_some_and(|it| !it.queue.is_empty())
    }

    /// `accept4`. The entry of a waiter that has gone is accepted like any other.
    pub(super) fn accept(&mut self, pid: Pid) {
        let Some(socket) = self.socket.as_mut().filter(|socket| !socket.queue.is_empty()) else {
            return;
        };
        let first = socket.queue.remove(0);
        if let Some(connection) = self.connection_mut(first) {
            connection.other_end = OtherEnd::Accepted;
        }
        self.files_mut(pid).accepted = Some(first);
    }

    /// `sendmsg` of the listening socket over the accepted connection: whether it is on its way.
    pub(super) fn send(&mut self, pid: Pid) -> bool {
        let files = self.files(pid);
        // Without the descriptor there is nothing to send: EBADF.
        let Some(peer) = files.accepted.filter(|_| files.listener) else { return false };
        let Some(connection) = self.connection_mut(peer).filter(|it| !it.shut_down) else {
            return false;
        };
        connection.socket_came = true;
        true
    }

    pub(super) fn close_listener(&mut self, pid: Pid, cause: Cause) {
        self.files_mut(pid).listener = false;
        self.unbind_unless_referred_to(cause);
    }

    /// Closes the waiter's end; a socket in a message there goes with it.
    pub(super) fn close_connection(&mut self, pid: Pid, cause: Cause) {
        if self.files_mut(pid).connection.take().is_none() {
            return;
        }
        let queue = self.socket.iter_mut().flat_map(|socket| socket.queue.iter_mut());
        let accepted = self.processes.iter_mut().filter_map(|it| it.files.accepted.as_mut());
        for peer in queue.chain(accepted).filter(|peer| **peer == Peer::Waiter(pid)) {
            *peer = Peer::Gone;
        }
        self.unbind_unless_referred_to(cause);
    }

    /// Closes the holder's end.
    pub(super) fn close_accepted(&mut self, pid: Pid, cause: Cause) {
        let Some(peer) = self.files_mut(pid).accepted.take() else { return };
        if let Some(connection) = self.connection_mut(peer) {
            connection.other_end = OtherEnd::Closed(cause);
        }
    }

    fn unbind_unless_referred_to(&mut self, cause: Cause) {
        let mut files = self.processes.iter().map(|process| &process.files);
        if files.any(|it| it.listener || it.connection.is_some_and(|it| it.socket_came)) {
            return;
        }
        let queue = self.socket.take().map(|socket| socket.queue);
        for peer in queue.into_iter().flatten() {
            if let Some(connection) = self.connection_mut(peer) {
                connection.other_end = OtherEnd::Closed(cause);
            }
        }
    }

    pub(super) fn named_holder(&self) -> Option<Pid> {
        self.socket.as_ref()?.listening
    }

    /// Where in the queue a process waits.
    pub(super) fn place(&self, pid: Pid) -> Option<usize> {
        let queue = &self.socket.as_ref()?.queue;
        queue.iter().position(|peer| *peer == Peer::Waiter(pid))
    }
}
