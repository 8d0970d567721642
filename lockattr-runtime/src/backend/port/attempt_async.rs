//! Waiting in the holder's queue without blocking the thread.

use async_io::Timer;

use super::attempt::{Attempt, Next, Wait};
use super::{Failure, Port};
use crate::backend::queue::wait_readable;
use crate::backend::RawLock as _;
use crate::deadline::Deadline;
use crate::sys::socket::ForkSocket;
use crate::tell::Waiting;

impl Port {
    /// As [`wait`](Self::wait). A future that is dropped leaves the queue: [`Attempt`] does.
    pub(super) async fn wait_async(
        &self,
        deadline: Deadline<'_>,
    ) -> Result<Option<ForkSocket>, Failure> {
        let mut attempt = Attempt::new(self, deadline);
        let mut waiting = Waiting::new(&self.name, deadline);
        loop {
            match attempt.next()? {
                Next::Acquired(listener) => return Ok(Some(listener)),
                Next::Refused => return Ok(None),
                Next::Sleep(wait, until) => match (wait, attempt.connection()) {
                    (Wait::Queue, Some(connection)) => {
                        wait_readable(connection, waiting.at_most(until.left()))
                            .await
                            .map_err(Failure::io("wait in the lock's queue"))?;
                    }
                    (Wait::Pause(pause), _) => {
                        Timer::after(until.at_most(pause)).await;
                    }
                    (Wait::Queue, None) => {}
                },
            }
            waiting.tell(|| self.holder().ok().flatten());
        }
    }
}
