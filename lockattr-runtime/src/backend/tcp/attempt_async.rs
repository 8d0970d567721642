//! Waiting for ports without blocking the thread, on any executor.

use std::future::{pending, Future};
use std::io;
use std::time::Duration;

use async_io::{Async, Timer};
use futures_lite::future::or;

use super::attempt::{Attempt, Next};
use super::ports::COUNT;
use super::taken::Taken;
use super::{Failure, Tcp};
use crate::backend::RawLock as _;
use crate::deadline::Deadline;
use crate::sys::poll::Descriptor;
use crate::tell::Waiting;

impl Tcp {
    /// As [`wait`](Self::wait).
    pub(super) async fn wait_async(
        &self,
        deadline: Deadline<'_>,
    ) -> Result<Result<Taken, [bool; COUNT]>, Failure> {
        let mut attempt = Attempt::new(self, deadline);
        let mut waiting = Waiting::new(&self.name, deadline);
        loop {
            match attempt.next()? {
                Next::Acquired(taken) => return Ok(Ok(taken)),
                Next::Refused(ports) => return Ok(Err(ports)),
                Next::Sleep(timeout) => wait_any(attempt.connections(), waiting.at_most(timeout))
                    .await
                    .map_err(Failure::io("wait for the lock's ports"))?,
            }
            waiting.tell(|| self.holder().ok().flatten());
        }
    }
}

/// As [`poll::wait_any`](crate::sys::poll::wait_any), of three at most.
async fn wait_any<'a>(
    mut connections: impl Iterator<Item = Descriptor<'a>> + Send,
    timeout: Option<Duration>,
) -> io::Result<()> {
    // Watched only while they are waited for.
    let mut next = || connections.next().map(Async::new_nonblocking).transpose();
    let (one, two, three) = (next()?, next()?, next()?);
    let timer = async {
        match timeout {
            Some(timeout) => {
                Timer::after(timeout).await;
                Ok(())
            }
            None => pending().await,
        }
    };
    let all = or(or(readable(one.as_ref()), readable(two.as_ref())), readable(three.as_ref()));
    or(all, timer).await
}

fn readable<'a>(
    connection: Option<&'a Async<Descriptor<'_>>>,
) -> impl Future<Output = io::Result<()>> + Send + 'a {
    async move {
        match connection {
            Some(connection) => connection.readable().await,
            None => pending().await,
        }
    }
}
