//! What all locks of one name share in a process.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::{AnyHeld, AnyLock, Backend, Failure};
use crate::deadline::Deadline;
use crate::error::LockError;
use crate::hold::Hold;
use crate::holder::Holder;
use crate::registry;
use crate::sys::{fork, thread};

#[derive(Debug)]
pub(crate) struct State {
    name: Box<str>,
    raw: AnyLock,
    hold: Hold,
    /// What the first guard had in hand, if it was dropped before those of the same thread's later
    /// entries. Only locked under the gate: a fork never copies it while it is locked.
    left_behind: Mutex<Option<AnyHeld>>,
}

/// What an acquire wants, beside the lock.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// When it began: [`LockError::Timeout`] tells how long it waited.
    pub(crate) start: Instant,
    pub(crate) deadline: Deadline,
    pub(crate) info: &'a dyn fmt::Display,
    /// Whether a thread that holds already enters again.
    pub(crate) reentrant: bool,
}

impl<'a> Request<'a> {
    pub(crate) fn new(timeout: Duration, info: &'a dyn fmt::Display) -> Self {
        let start = Instant::now();
        Self { start, deadline: Deadline::after(start, timeout), info, reentrant: false }
    }
}

impl State {
    pub(crate) fn new(backend: Backend, name: &str) -> Self {
        Self {
            name: name.into(),
            raw: AnyLock::new(backend, name),
            hold: Hold::default(),
            left_behind: Mutex::new(None),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn backend(&self) -> Backend {
        self.raw.backend()
    }

    /// Takes the lock for the calling thread. Nothing comes in hand where that enters again.
    pub(crate) fn acquire(&self, request: Request<'_>) -> Result<Option<AnyHeld>, LockError> {
        let thread = thread::current().token;
        if request.reentrant && self.hold.enter_again(thread) {
            return Ok(None);
        }
        if self.hold.is_by(thread) {
            return Err(LockError::WouldDeadlock { lock: self.name.clone() });
        }
        match self.raw.acquire(request.deadline, request.info) {
            Ok(held) => {
                self.hold.begin(Some(thread));
                Ok(Some(held))
            }
            Err(failure) => Err(self.error(failure, request)),
        }
    }

    /// Takes the lock for the calling task. No thread holds it then: whoever asks waits.
    #[cfg(feature = "async")]
    pub(crate) async fn acquire_async(
        &self,
        timeout: Duration,
        info: &(dyn fmt::Display + Sync),
    ) -> Result<AnyHeld, LockError> {
        let start = Instant::now();
        let deadline = Deadline::after(start, timeout);
        match self.raw.acquire_async(deadline, info).await {
            Ok(held) => {
                self.hold.begin(None);
                Ok(held)
            }
            Err(failure) => {
                Err(self.error(failure, Request { start, deadline, info, reentrant: false }))
            }
        }
    }

    /// Takes back a guard. The last one ends the hold by `end`. (The hold ends first: once the lock is
    /// given away, another thread of this process may begin its own.)
    pub(crate) fn leave(&self, held: Option<AnyHeld>, end: fn(&AnyLock, AnyHeld)) {
        if let Some(held) = held {
            if self.hold.leave_if_last() {
                return end(&self.raw, held);
            }
            // Others are left. What they will end the hold with lies there before this guard is
            // counted out: whoever finds itself the last one finds it.
            let _gate = fork::gate();
            *self.left_behind.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        }
        if self.hold.leave() {
            let left_behind = {
                let _gate = fork::gate();
                self.left_behind.lock().unwrap_or_else(PoisonError::into_inner).take()
            };
            if let Some(held) = left_behind {
                end(&self.raw, held);
            }
        }
    }

    pub(crate) fn is_locked(&self) -> Result<bool, LockError> {
        self.raw.is_locked().map_err(|source| self.io("look whether it is locked", source))
    }

    pub(crate) fn holder(&self) -> Result<Option<Holder>, LockError> {
        self.raw.holder().map_err(|source| self.io("look who holds it", source))
    }

    pub(crate) fn last_holder(&self) -> Result<Option<Holder>, LockError> {
        self.raw.last_holder().map_err(|source| self.io("look who held it last", source))
    }

    fn error(&self, failure: Failure, request: Request<'_>) -> LockError {
        let lock = self.name.clone();
        let waited = match request.deadline {
            Deadline::Now => Duration::ZERO,
            Deadline::At(_) | Deadline::Never => request.start.elapsed(),
        };
        match failure {
            Failure::Busy(holder) => {
                LockError::Timeout { lock, waited, holder: holder.map(Box::new) }
            }
            Failure::OtherNamespace(holder) => {
                LockError::OtherNamespace { lock, holder: Box::new(holder) }
            }
            Failure::Io { operation, source } => self.io(operation, source),
        }
    }

    fn io(&self, operation: &'static str, source: std::io::Error) -> LockError {
        LockError::Io { lock: self.name.clone(), operation, source }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        registry::forget(&self.name);
    }
}
