//! Waiting in a queue without blocking the thread, on any executor: one reactor thread of the process
//! (async-io's) watches the connections of all waiters.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use async_io::{Async, Timer};
use futures_lite::future;

use crate::sys::socket::ForkSocket;

/// As [`poll::wait_readable`](crate::sys::poll::wait_readable).
pub(in crate::backend) async fn wait_readable(
    connection: &ForkSocket,
    timeout: Option<Duration>,
) -> io::Result<()> {
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
