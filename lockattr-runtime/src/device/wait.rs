//! Waiting until no other program locks the device, with the device's own lock in hand.
//!
//! `flock(2)` has no timeout, and a lock file tells nobody that it goes. So both are looked at again and again.

use std::io;
use std::thread;
use std::time::Duration;

use super::join::{Joined, Refused};
use super::{conventions, Device, Node};
use crate::backoff::Backoff;
use crate::deadline::Deadline;
use crate::holder::Holder;
use crate::tell::Waiting;

/// Why the device is not to be had.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Another program locked it until the time was over.
    Held(Box<Holder>),
    /// The path leads to it no more.
    Gone(io::Error),
    /// The system refused what was to be joined, as in "cannot …".
    Failed(&'static str, io::Error),
}

/// The wait of one acquire.
pub(crate) struct Wait<'a> {
    device: &'a Device,
    lock: &'a str,
    deadline: Deadline<'a>,
    backoff: Backoff,
    waiting: Waiting<'a>,
}

impl<'a> Wait<'a> {
    const SHORTEST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_millis(10);

    pub(crate) fn new(device: &'a Device, lock: &'a str, deadline: Deadline<'a>) -> Self {
        let waiting = Waiting::new(lock, deadline);
        let backoff = Backoff::from_to(Self::SHORTEST, Self::LONGEST);
        Self { device, lock, deadline, backoff, waiting }
    }

    /// Waits until no other program locks the device, and takes what is to be joined.
    pub(crate) fn run(mut self) -> Result<Option<Joined>, Refusal> {
        loop {
            match self.look()? {
                Look::Done(joined) => return Ok(joined),
                Look::Again(pause) => thread::sleep(pause),
            }
        }
    }

    /// As [`run`](Self::run), without blocking the thread.
    #[cfg(feature = "async")]
    pub(crate) async fn run_async(mut self) -> Result<Option<Joined>, Refusal> {
        loop {
            match self.look()? {
                Look::Done(joined) => return Ok(joined),
                Look::Again(pause) => {
                    async_io::Timer::after(pause).await;
                }
            }
        }
    }

    fn look(&mut self) -> Result<Look, Refusal> {
        let path = self.device.path();
        // Where it was waited for, the device may have been plugged in anew: another file of the same numbers.
        let node = Node::at(path).map_err(Refusal::Gone)?;
        if !node.is_same_device(&self.device.node()) {
            let message = "the path leads to another device than when the wait began";
            return Err(Refusal::Gone(io::Error::new(io::ErrorKind::NotFound, message)));
        }
        let holder = match conventions::holder(self.lock, path, &node) {
            Some(holder) => Box::new(holder),
            None if self.device.joins.is_none() => return Ok(Look::Done(None)),
            None => match self.device.joins.take(path) {
                Ok(joined) => return Ok(Look::Done(Some(joined))),
                Err(Refused::By(holder)) => holder,
                Err(Refused::Failed(operation, source)) => {
                    return Err(Refusal::Failed(operation, source))
                }
            },
        };
        if self.deadline.has_passed() {
            return Err(Refusal::Held(holder));
        }
        self.waiting.tell(|| Some(*holder));
        Ok(Look::Again(self.deadline.at_most(self.backoff.next())))
    }
}

/// What a look has found.
enum Look {
    /// Nobody else locks the device, and this was taken.
    Done(Option<Joined>),
    /// Another program does: sleep that long.
    Again(Duration),
}
