//! Waiting without blocking the thread, on any executor. A semaphore cannot be waited for in a
//! reactor, so the one whose turn it is looks now and then; all others wait in their queue.

use std::time::Duration;

use async_io::Timer;

use super::attempt::{Attempt, Next, Waited};
use super::Failure;
use crate::backend::queue::wait_readable;
use crate::backend::RawLock as _;
use crate::backoff::Backoff;
use crate::sys::clock;
use crate::tell::Waiting;

/// The longest pause between two looks, at first: a turn of the reactor costs as much as several looks.
const LAST: Duration = Duration::from_millis(2);

/// The longest pause of a wait that has lasted for so many nanoseconds. It comes to a tenth of the wait.
const LATER: Duration = Duration::from_millis(10);
const LONG: u64 = 100_000_000;

impl Attempt<'_> {
    /// As [`wait`](Self::wait). A future that is dropped has nothing in hand but its turn, which it gives on.
    pub(super) async fn wait_async(mut self) -> Result<Waited, Box<Failure>> {
        let mut taken = false;
        let mut backoff = Backoff::up_to(LAST);
        let (start, mut is_long) = (self.deadline.start(), false);
        let semaphore = self.lock;
        let mut waiting = Waiting::new(&semaphore.name, self.deadline);
        loop {
            if !taken {
                waiting.tell(|| semaphore.holder().ok().flatten());
            }
            let until = match self.next(taken)? {
                Next::Acquired => return Ok(Waited::Acquired(self.objects, self.turnstile)),
                Next::Refused(look) => return Ok(Waited::Refused(look)),
                Next::Wait(until) => until,
                Next::Queue(until) => {
                    let left = Duration::from_nanos(until.saturating_sub(clock::monotonic()));
                    let is_lost = match self.turnstile.connection() {
                        Some(connection) => {
                            wait_readable(connection, waiting.at_most(Some(left))).await.is_err()
                        }
                        None => false,
                    };
                    if is_lost {
                        self.turnstile.go_out_of_turn();
                    }
                    taken = false;
                    continue;
                }
                Next::Rest(until) => {
                    let left = until.saturating_sub(clock::monotonic());
                    Timer::after(Duration::from_nanos(left)).await;
                    taken = false;
                    continue;
                }
            };
            loop {
                let now = clock::monotonic();
                let left = Duration::from_nanos(until.saturating_sub(now));
                if left.is_zero() {
                    taken = false;
                    break;
                }
                if !is_long && now.saturating_sub(start) > LONG {
                    is_long = true;
                    backoff = Backoff::from_to(LAST, LATER);
                }
                Timer::after(backoff.next().min(left)).await;
                // What is taken is looked at before anything is waited for again.
                taken = self.objects.semaphore.try_wait();
                if taken {
                    break;
                }
            }
        }
    }
}
