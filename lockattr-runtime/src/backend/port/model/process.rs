//! The processes' part of the model: what they do, one system call at a time.

use super::kernel::{Cause, Connection, Files, Peer, Received, Record, State};
use super::Sabotage;

pub(super) type Pid = u8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) program: Program,
    pub(super) step: Step,
    /// How many times it will try to get the lock, this time included.
    pub(super) acquires_left: u8,
    pub(super) files: Files,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Program {
    Lockattr,
    /// k3portlock: it binds and does not listen, and tries again and again.
    K3portlock,
}

/// What a process does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    Bind {
        /// It was in the queue of a holder that died, which only the properties ask.
        bereft: bool,
    },
    Connect,
    /// It waits until its connection can be read.
    Look,
    /// It has shut its connection down.
    LastLook,
    Listen(Origin),
    /// The lock is held, and used. The first look into the queue ends it.
    Body,
    LookIntoQueue,
    Accept,
    /// It writes down whom it sends to.
    Note,
    Send,
    /// It could not send: nobody is on the way to the lock.
    Unnote,
    Close,
    HangUp,
    Done,
    /// The kernel closes its descriptors one by one.
    Dead {
        /// It was just being handed the lock.
        socket_came: bool,
    },
}

/// How a lock came to its new holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Origin {
    Bound,
    /// The holder before has died.
    Inherited,
    HandedOff,
    /// It came after the time was over, and before the last look.
    LastLook,
    /// It was found too late to be kept.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Listener,
    Connection,
    Accepted,
}

/// One system call of a process, or what befalls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// `Port::bind` without its `listen`; k3portlock's acquire.
    Bind,
    /// `Port::join`: it binds its own name, which nobody else uses, and connects.
    Connect,
    /// `sockets::listen`, at the end of `Port::bind` and of `Port::receive`. A connection is closed
    /// then, which nobody notices: its other end was closed when the socket was sent.
    Listen,
    /// `Port::receive`, called by `Acquisition::advance` when the connection can be read.
    Look,
    /// The same without a free descriptor (`Received::Dropped`): the kernel drops the socket.
    LookInVain,
    /// The time is over, or there was none (`Attempt::next`), or an async acquire is cancelled. In
    /// the queue this is the `shutdown` of `Acquisition::leave`.
    GiveUp,
    /// `Port::receive`, called by `Acquisition::leave`. Who finds the lock there takes it.
    LastLook,
    /// As `Look` or `LastLook`, of one that was stopped until long after its deadline, or whose acquire
    /// was cancelled: the lock goes on to `queue::hand_off`, without a grant.
    PassOn,
    /// `poll::is_readable` in `queue::hand_off`.
    LookIntoQueue,
    /// `accept_one` in `queue::hand_off`.
    Accept,
    /// `accept_one` fails for want of a descriptor.
    AcceptInVain,
    /// `Page::write_handed`, with a receiver, in `queue::hand_off`.
    Note,
    /// `send_descriptor` in `queue::hand_off`, and the close of the connection: only the receiver
    /// could notice that, and it reads the message first.
    Send,
    /// `send_descriptor` fails for another reason than the receiver (`ETOOMANYREFS`).
    SendInVain,
    /// `Page::write_handed`, without a receiver, in `queue::hand_off`.
    Unnote,
    /// `queue::hand_off` stops where it has found too many dead entries: the queue goes with the socket.
    Flush,
    /// `drop(listener)` in `queue::hand_off`; k3portlock's release.
    Close,
    /// `hang_up` at the end of `queue::hand_off`.
    HangUp,
    /// A `SIGKILL`, say.
    Die,
    /// The kernel closes a descriptor of a dead process. The model allows any order.
    Reap(File),
}

impl Action {
    /// Whether nobody may rely on it that this will happen.
    fn is_mishap(self) -> bool {
        matches!(self, Self::GiveUp) || self.is_fault()
    }

    fn is_fault(self) -> bool {
        matches!(self, Self::LookInVain | Self::AcceptInVain | Self::SendInVain | Self::Die)
    }
}

impl State {
    pub(super) fn actions(&self, pid: Pid, mut add: impl FnMut(Action)) {
        let process = &self.processes[usize::from(pid)];
        let files = &process.files;
        let may_fail = self.faults_left > 0;
        let mut add_if = |possible: bool, action: Action| {
            if possible {
                add(action);
            }
        };
        match process.step {
            Step::Bind { .. } => {
                // An attempt that changes nothing is no action: it would hide who waits for ever.
                // While the address is bound and nobody listens, a lockattr process tries in vain, by
                // `bind` and `connect` (`Step::Barred`); k3portlock does while it is bound at all.
                let is_free = self.socket.is_none();
                let queues = process.program == Program::Lockattr && self.is_listening();
                add_if(is_free || queues, Action::Bind);
                add_if(true, Action::GiveUp);
            }
            Step::Connect => {
                add_if(true, Action::Connect);
                add_if(true, Action::GiveUp);
            }
            Step::Look => {
                let connection = files.connection;
                add_if(connection.is_some_and(Connection::is_readable), Action::Look);
                let came = connection.is_some_and(|it| it.socket_came);
                add_if(may_fail && came, Action::LookInVain);
                add_if(came, Action::PassOn);
                add_if(true, Action::GiveUp);
            }
            Step::LastLook => {
                add_if(true, Action::LastLook);
                let came = files.connection.is_some_and(|it| it.socket_came);
                add_if(may_fail && came, Action::LookInVain);
                add_if(came, Action::PassOn);
            }
            Step::Listen(_) => add_if(true, Action::Listen),
            Step::Body if process.program == Program::K3portlock => add_if(true, Action::Close),
            Step::Body | Step::LookIntoQueue => {
                add_if(true, Action::LookIntoQueue);
                // After many dead entries. That there were some is no part of the state.
                let may_flush = process.step == Step::LookIntoQueue && self.is_anyone_queued(pid);
                add_if(may_flush, Action::Flush);
            }
            Step::Accept => {
                add_if(true, Action::Accept);
                add_if(may_fail, Action::AcceptInVain);
            }
            Step::Note => add_if(true, Action::Note),
            Step::Unnote => add_if(true, Action::Unnote),
            Step::Send => {
                add_if(true, Action::Send);
                add_if(may_fail, Action::SendInVain);
            }
            Step::Close => add_if(true, Action::Close),
            Step::HangUp => add_if(true, Action::HangUp),
            Step::Done => {}
            Step::Dead { .. } => {
                add_if(files.listener, Action::Reap(File::Listener));
                add_if(files.connection.is_some(), Action::Reap(File::Connection));
                add_if(files.accepted.is_some(), Action::Reap(File::Accepted));
            }
        }
        if may_fail && !matches!(process.step, Step::Done | Step::Dead { .. }) {
            add_if(true, Action::Die);
        }
    }

    /// Whether something will happen without a mishap.
    pub(super) fn goes_on(&self) -> bool {
        let mut goes_on = false;
        for pid in self.pids() {
            self.actions(pid, |action| goes_on |= !action.is_mishap());
        }
        goes_on
    }

    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        (0..).take(self.processes.len())
    }

    pub(super) fn act(&mut self, pid: Pid, action: Action, sabotage: Option<Sabotage>) {
        if action.is_fault() {
            self.faults_left -= 1;
        }
        let before = self.processes[usize::from(pid)].step;
        let next = match action {
            Action::Bind => self.try_to_bind(pid, before),
            Action::Connect => {
                // Only by `StaysInTheQueue` there is one already.
                self.close_connection(pid, Cause::Release);
                if self.connect(pid) {
                    Step::Look
                } else {
                    Step::Bind { bereft: false }
                }
            }
            Action::Listen => {
                if sabotage != Some(Sabotage::DoesNotListenAgain) || !self.is_listening() {
                    self.listen(pid);
                }
                self.close_connection(pid, Cause::Release);
                if before == Step::Listen(Origin::Late) {
                    self.record.handed = Some((pid, None));
                    Step::LookIntoQueue
                } else {
                    self.record = Record { about: Some(pid), has_ended: false, handed: None };
                    Step::Body
                }
            }
            Action::PassOn => {
                self.receive(pid);
                Step::Listen(Origin::Late)
            }
            Action::Look => self.look(pid, sabotage),
            Action::LookInVain => {
                self.close_connection(pid, Cause::Mishap);
                self.finish(pid)
            }
            Action::GiveUp if before != Step::Look => self.finish(pid),
            Action::GiveUp if sabotage == Some(Sabotage::StaysInTheQueue) => self.finish(pid),
            Action::GiveUp => {
                self.shut_down(pid);
                Step::LastLook
            }
            Action::LastLook => match self.receive(pid) {
                Received::Socket => Step::Listen(Origin::LastLook),
                Received::Nothing | Received::Ended(_) => {
                    self.close_connection(pid, Cause::Release);
                    self.finish(pid)
                }
            },
            Action::LookIntoQueue
            | Action::Flush
            | Action::Accept
            | Action::AcceptInVain
            | Action::Note
            | Action::Send
            | Action::SendInVain
            | Action::Unnote
            | Action::Close
            | Action::HangUp => self.release(pid, action, sabotage),
            Action::Die => Step::Dead {
                socket_came: self.files(pid).connection.is_some_and(|it| it.socket_came),
            },
            Action::Reap(file) => {
                self.reap(pid, file);
                before
            }
        };
        self.processes[usize::from(pid)].step = next;
    }

    /// A step of `Port::hand_off`.
    fn release(&mut self, pid: Pid, action: Action, sabotage: Option<Sabotage>) -> Step {
        match action {
            Action::LookIntoQueue => {
                if self.processes[usize::from(pid)].step == Step::Body {
                    self.record.has_ended = true;
                }
                if self.is_anyone_queued(pid) {
                    Step::Accept
                } else {
                    Step::Close
                }
            }
            Action::Flush | Action::AcceptInVain => Step::Close,
            Action::SendInVain => Step::Unnote,
            Action::Accept => {
                self.accept(pid);
                if sabotage == Some(Sabotage::ClosesBeforeItSends) {
                    self.close_listener(pid, Cause::Release);
                }
                Step::Note
            }
            Action::Note => {
                self.record.handed = Some(self.note_of(pid));
                Step::Send
            }
            Action::Send => {
                let is_sent = self.send(pid);
                self.close_accepted(pid, Cause::HangUp);
                match (is_sent, sabotage) {
                    (true, _) => Step::Close,
                    (false, Some(Sabotage::KeepsItsNote)) => Step::LookIntoQueue,
                    (false, _) => Step::Unnote,
                }
            }
            Action::Unnote => {
                self.record.handed = Some((pid, None));
                // What could not be sent for another reason is let go of, for all to see.
                if self.files(pid).accepted.is_some() {
                    Step::Close
                } else {
                    Step::LookIntoQueue
                }
            }
            Action::Close => {
                if sabotage != Some(Sabotage::KeepsItsCopy) {
                    self.close_listener(pid, Cause::Release);
                }
                if self.files(pid).accepted.is_some() {
                    Step::HangUp
                } else {
                    self.finish(pid)
                }
            }
            Action::HangUp => {
                if sabotage != Some(Sabotage::DoesNotHangUp) {
                    self.close_accepted(pid, Cause::Mishap);
                }
                self.finish(pid)
            }
            _ => unreachable!("{action:?} is no step of a release"),
        }
    }

    /// Who passes the lock on, and to whom. (One that has left the queue has its pid still, but nothing
    /// can be sent to it, and the note does not stay.)
    fn note_of(&self, pid: Pid) -> (Pid, Option<Pid>) {
        let waiter = match self.files(pid).accepted {
            Some(Peer::Waiter(waiter)) => Some(waiter),
            Some(Peer::Gone) | None => None,
        };
        (pid, waiter)
    }

    fn try_to_bind(&mut self, pid: Pid, before: Step) -> Step {
        let is_bound = self.bind(pid);
        match self.processes[usize::from(pid)].program {
            _ if !is_bound => Step::Connect,
            Program::K3portlock => Step::Body,
            Program::Lockattr if before == (Step::Bind { bereft: true }) => {
                Step::Listen(Origin::Inherited)
            }
            Program::Lockattr => Step::Listen(Origin::Bound),
        }
    }

    fn look(&mut self, pid: Pid, sabotage: Option<Sabotage>) -> Step {
        match self.receive(pid) {
            Received::Nothing => Step::Look,
            Received::Socket => Step::Listen(Origin::HandedOff),
            Received::Ended(_) if sabotage == Some(Sabotage::TakesTheEndForTheLock) => {
                Step::Listen(Origin::HandedOff)
            }
            Received::Ended(cause) => {
                self.close_connection(pid, cause);
                Step::Bind { bereft: cause == Cause::Death }
            }
        }
    }

    fn reap(&mut self, pid: Pid, file: File) {
        match file {
            File::Listener => self.close_listener(pid, Cause::Death),
            File::Connection => self.close_connection(pid, Cause::Mishap),
            File::Accepted => self.close_accepted(pid, Cause::Mishap),
        }
    }

    /// The end of an acquire, or of a hold.
    fn finish(&mut self, pid: Pid) -> Step {
        let process = &mut self.processes[usize::from(pid)];
        process.acquires_left -= 1;
        if process.acquires_left == 0 {
            Step::Done
        } else {
            Step::Bind { bereft: false }
        }
    }
}
