//! One acquire from its beginning to its end: when to wait on, and when to stop. It never blocks by
//! itself: [`Port::wait`] and its async counterpart sleep between its steps.

use std::thread;
use std::time::{Duration, Instant};

use super::{Failure, Port};
use crate::backend::ghost::{PATIENCE, SLICE};
use crate::backend::queue::{Acquisition, Bound, Line, Step};
use crate::backend::RawLock as _;
use crate::deadline::{Deadline, GRACE};
use crate::sys::socket::ForkSocket;
use crate::tell::Waiting;

pub(super) struct Attempt<'a> {
    port: &'a Port,
    acquisition: Acquisition<&'a Port>,
    deadline: Deadline<'a>,
    /// Until when one that only tries waits for a ghost to go, once it suspects one.
    ghost_gone_by: Option<Instant>,
    has_waited: bool,
}

/// What is next in an [`Attempt`].
pub(super) enum Next<'a> {
    /// Nothing: this process owns the listening socket.
    Acquired(ForkSocket),
    /// Nothing: others held the lock until the deadline.
    Refused,
    /// To sleep, and then to look again.
    Sleep(Wait, Deadline<'a>),
}

/// What to wait for before the next step.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    /// That [`Attempt::connection`] can be read.
    Queue,
    /// That the time is over.
    Pause(Duration),
}

impl<'a> Attempt<'a> {
    pub(super) fn new(port: &'a Port, deadline: Deadline<'a>) -> Self {
        Self {
            port,
            acquisition: Acquisition::new(port),
            deadline,
            ghost_gone_by: None,
            has_waited: false,
        }
    }

    /// Goes as far as is possible without waiting.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Next<'a>, Failure> {
        if self.deadline.is_now() && self.ghost_gone_by.is_none() {
            match self.port.queue.bind()? {
                Bound::Held(listener) => return Ok(Next::Acquired(listener)),
                Bound::Taken(_) if !self.port.may_be_haunted() => return Ok(Next::Refused),
                Bound::Taken(_) => self.ghost_gone_by = Some(Instant::now() + PATIENCE),
            }
        }
        let wait = match self.acquisition.advance()? {
            Step::Acquired(listener) => return Ok(self.claim(listener)),
            Step::Queued => Wait::Queue,
            Step::Barred(pause) => Wait::Pause(pause),
        };
        if let Some(until) = self.until(wait) {
            self.has_waited = true;
            return Ok(Next::Sleep(wait, until));
        }
        Ok(match self.acquisition.leave()? {
            Some(listener) => self.claim(listener),
            None => Next::Refused,
        })
    }

    /// Takes the lock that has come, or passes it on if it came too late.
    fn claim(&self, listener: ForkSocket) -> Next<'a> {
        let is_late = self.has_waited && !self.deadline.is_now();
        if is_late && self.deadline.has_long_passed(GRACE) {
            self.port.pass_on(listener);
            return Next::Refused;
        }
        Next::Acquired(listener)
    }

    /// Until when to wait at most before the next step; none if that was the last one.
    fn until(&mut self, wait: Wait) -> Option<Deadline<'a>> {
        let Some(gone_by) = self.ghost_gone_by else {
            return Some(self.deadline).filter(|deadline| !deadline.has_passed());
        };
        let now = Instant::now();
        if now >= gone_by {
            return None;
        }
        match (wait, self.connection()) {
            // The slice may be over before anybody sleeps: what counts is that there is a next look.
            (Wait::Queue, Some(connection)) => {
                self.port.is_ghost(connection).then(|| Deadline::after(SLICE))
            }
            // It went between the bind and the look; or a holder does not listen. One more look tells.
            (Wait::Pause(pause), _) => {
                self.ghost_gone_by = Some(now);
                Some(Deadline::after(pause))
            }
            (Wait::Queue, None) => None,
        }
    }

    /// The place in the holder's queue.
    pub(super) fn connection(&self) -> Option<&ForkSocket> {
        self.acquisition.connection()
    }
}

impl Port {
    /// Waits for the listening socket until `deadline`.
    pub(super) fn wait(&self, deadline: Deadline<'_>) -> Result<Option<ForkSocket>, Failure> {
        let mut attempt = Attempt::new(self, deadline);
        let mut waiting = Waiting::new(&self.name, deadline);
        loop {
            match attempt.next()? {
                Next::Acquired(listener) => return Ok(Some(listener)),
                Next::Refused => return Ok(None),
                Next::Sleep(wait, until) => match (wait, attempt.connection()) {
                    (Wait::Queue, Some(connection)) => {
                        until
                            .wait_readable(connection, waiting.at_most(until.left()))
                            .map_err(Failure::io("wait in the lock's queue"))?;
                    }
                    (Wait::Pause(pause), _) => thread::sleep(until.at_most(pause)),
                    (Wait::Queue, None) => {}
                },
            }
            waiting.tell(|| self.holder().ok().flatten());
        }
    }
}
