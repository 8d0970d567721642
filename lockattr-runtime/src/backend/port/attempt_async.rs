//! Waiting in the holder's queue without blocking the thread, on any executor: one reactor thread of
//! the process (async-io's) watches the connections of all waiters.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use async_io::{Async, Timer};
use futures_lite::future;

use super::attempt::{Attempt, Next, Wait};
use super::{Failure, Port};
use crate::deadline::Deadline;
use crate::sys::socket::ForkSocket;

impl Port {
    /// As [`wait`](Self::wait). A future that is dropped leaves the queue: [`Attempt`] does.
    pub(super) async fn wait_async(
        &self,
        deadline: Deadline,
    ) -> Result<Option<ForkSocket>, Failure> {
        let mut attempt = Attempt::new(self, deadline);
        loop {
            match attempt.next()? {
                Next::Acquired(listener) => return Ok(Some(listener)),
                Next::Refused => return Ok(None),
                Next::Sleep(wait, until) => match (wait, attempt.connection()) {
                    (Wait::Queue, Some(connection)) => {
                        wait_readable(connection, until.left())
                            .await
                            .map_err(Failure::io("wait in the lock's queue"))?;
                    }
                    (Wait::Pause(pause), _) => {
                        Timer::after(until.at_most(pause)).await;
                    }
                    (Wait::Queue, None) => {}
                },
            }
        }
    }
}

async fn wait_readable(connection: &ForkSocket, timeout: Option<Duration>) -> io::Result<()> {
    // Watched only while it is waited for: a connection ends with the place in the queue.
    let connection = Async::new_nonblocking(connection.as_fd())?;
    match timeout {
        None => connection.readable().await,
        Some(timeout) => {
            let timer = async {
                Timer::after(timeout).await;
                Ok(())
            };
            future::or(connection.readable(), timer).await
        }
    }
}
