//! What all locks of one name share in a process.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::backend::{AnyHeld, AnyLock, Backend, Failure};
use crate::deadline::Deadline;
use crate::error::LockError;
use crate::holder::Holder;
use crate::registry;
use crate::sys::thread;

#[derive(Debug)]
pub(crate) struct State {
    name: Box<str>,
    raw: AnyLock,
    /// The token of the thread that holds the lock, 0 if none of this process does. Only the holder
    /// writes it, and a thread can be equal to nothing but what it wrote itself, so no order of
    /// memory is asked for.
    holding_thread: AtomicU64,
}

impl State {
    pub(crate) fn new(backend: Backend, name: &str) -> Self {
        Self {
            name: name.into(),
            raw: AnyLock::new(backend, name),
            holding_thread: 0.into(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn backend(&self) -> Backend {
        self.raw.backend()
    }

    /// Takes the lock for the calling thread.
    pub(crate) fn acquire(
        &self,
        timeout: Duration,
        info: &dyn fmt::Display,
    ) -> Result<AnyHeld, LockError> {
        let thread = thread::current().token;
        if self.holding_thread.load(Ordering::Relaxed) == thread.get() {
            return Err(LockError::WouldDeadlock {
                lock: self.name.clone(),
            });
        }
        let start = Instant::now();
        match self.raw.acquire(Deadline::after(start, timeout), info) {
            Ok(held) => {
                self.hold_by(Some(thread));
                Ok(held)
            }
            Err(failure) => {
                let waited = if timeout.is_zero() {
                    timeout
                } else {
                    start.elapsed()
                };
                Err(self.error(failure, waited))
            }
        }
    }

    /// Gives the lock back.
    pub(crate) fn release(&self, held: AnyHeld) {
        // Before the lock is given away: afterwards another thread may have written its own token.
        self.hold_by(None);
        self.raw.release(held);
    }

    fn hold_by(&self, thread: Option<NonZeroU64>) {
        self.holding_thread
            .store(thread.map_or(0, NonZeroU64::get), Ordering::Relaxed);
    }

    pub(crate) fn is_locked(&self) -> Result<bool, LockError> {
        self.raw
            .is_locked()
            .map_err(|source| self.io("look whether it is locked", source))
    }

    pub(crate) fn holder(&self) -> Result<Option<Holder>, LockError> {
        self.raw
            .holder()
            .map_err(|source| self.io("look who holds it", source))
    }

    pub(crate) fn last_holder(&self) -> Result<Option<Holder>, LockError> {
        self.raw
            .last_holder()
            .map_err(|source| self.io("look who held it last", source))
    }

    fn error(&self, failure: Failure, waited: Duration) -> LockError {
        let lock = self.name.clone();
        match failure {
            Failure::Busy(holder) => LockError::Timeout {
                lock,
                waited,
                holder: holder.map(Box::new),
            },
            Failure::OtherNamespace(holder) => LockError::OtherNamespace {
                lock,
                holder: Box::new(holder),
            },
            Failure::Io { operation, source } => self.io(operation, source),
        }
    }

    fn io(&self, operation: &'static str, source: std::io::Error) -> LockError {
        LockError::Io {
            lock: self.name.clone(),
            operation,
            source,
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        registry::forget(&self.name);
    }
}
