//! What all locks of one name share in a process.

#[cfg(feature = "async")]
use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::backend::{AnyHeld, AnyLock, Failure};
use crate::deadline::Deadline;
use crate::error::LockError;
use crate::hold::Hold;
use crate::holder::Holder;
use crate::kind::{Backend, Kind};
use crate::request::Request;
use crate::standing::Standing;
use crate::sys::generation::generation;
use crate::sys::{fork, thread};

#[derive(Debug)]
pub(crate) struct State {
    name: Box<str>,
    /// Told when nobody uses this state any more.
    on_drop: fn(&str),
    raw: AnyLock,
    hold: Hold,
    /// What the first guard left, if it was dropped before those of the same thread's later entries.
    left_behind: fork::Gated<Option<LeftBehind>>,
    /// A guard that was not the last one of the hold has abandoned it.
    is_abandoned: AtomicBool,
}

#[derive(Debug)]
struct LeftBehind {
    held: AnyHeld,
    end: End,
    /// A forked child does not hold what its parent's guards left behind.
    generation: u32,
}

/// How a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Release,
    /// As if the holder had died.
    Abandon,
    /// The lock stays taken.
    Detach,
}

impl State {
    pub(crate) fn new(kind: Kind, name: &str, on_drop: fn(&str)) -> Self {
        Self {
            on_drop,
            name: name.into(),
            raw: AnyLock::new(kind, name),
            hold: Hold::default(),
            left_behind: fork::Gated::default(),
            is_abandoned: AtomicBool::new(false),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn backend(&self) -> Backend {
        self.raw.backend()
    }

    /// Takes the lock for the calling thread. Nothing comes in hand where that enters again.
    #[inline]
    pub(crate) fn acquire(
        &self,
        request: &Request<'_>,
        deadline: Deadline,
    ) -> Result<Option<AnyHeld>, LockError> {
        let thread = thread::current().token;
        if request.reentrant && self.hold.enter_again(thread) {
            return Ok(None);
        }
        if self.hold.is_by(thread) {
            return Err(self.would_deadlock());
        }
        match self.raw.acquire(deadline, request.info) {
            Ok(held) => self.begin(held, request, deadline, Some(thread)).map(Some),
            Err(failure) => Err(self.error(*failure, deadline.waited())),
        }
    }

    /// Takes the lock for the calling task. No thread holds it then: whoever asks waits.
    #[cfg(feature = "async")]
    pub(crate) async fn acquire_async(
        &self,
        request: &Request<'_>,
        deadline: Deadline,
    ) -> Result<AnyHeld, LockError> {
        if request.reentrant {
            return Err(self.is_no_thread());
        }
        match self.raw.acquire_async(deadline, request.info).await {
            Ok(held) => self.begin(held, request, deadline, None),
            Err(failure) => Err(self.error(*failure, deadline.waited())),
        }
    }

    #[inline]
    fn begin(
        &self,
        held: AnyHeld,
        request: &Request<'_>,
        deadline: Deadline,
        thread: Option<NonZeroU64>,
    ) -> Result<AnyHeld, LockError> {
        if request.recovers {
            if let Err(failure) = self.raw.check_record(&held) {
                self.raw.release(held);
                return Err(self.error(failure, deadline.waited()));
            }
        }
        // In a forked child it may be left of what its parent held.
        self.is_abandoned.store(false, Ordering::Relaxed);
        self.hold.begin(thread);
        Ok(held)
    }

    /// Takes back a guard. The last one ends the hold. (The hold ends first: once the lock is given
    /// away, another thread of this process may begin its own.)
    #[inline]
    pub(crate) fn leave(&self, held: Option<AnyHeld>, end: End) {
        if end == End::Abandon {
            self.is_abandoned.store(true, Ordering::Relaxed);
        }
        if let Some(held) = held {
            if self.hold.leave_if_last() {
                return self.end(held, end);
            }
            // Others are left. What they will end the hold with lies there before this guard is
            // counted out: whoever finds itself the last one finds it.
            let generation = generation();
            self.exchange(Some(LeftBehind { held, end, generation }));
        }
        if self.hold.leave() {
            if let Some(left) = self.exchange(None) {
                self.end(left.held, left.end);
            }
        }
    }

    /// Whether a hold can end with [`End::Detach`].
    pub(crate) fn check_detach(&self) -> Result<(), LockError> {
        self.raw.check_detach().map_err(|failure| self.error(failure, Duration::ZERO))
    }

    /// Puts down what a guard leaves, and takes up what was there.
    fn exchange(&self, new: Option<LeftBehind>) -> Option<LeftBehind> {
        let old = match fork::gate() {
            Ok(mut gate) => std::mem::replace(self.left_behind.get(&mut gate), new),
            // Only in a signal handler that has interrupted this thread in here, where no guard may be
            // dropped. What it holds is freed then, whatever other guards there are.
            Err(_) => new,
        };
        // An ancestor's is dropped here, outside of the gate, which its sockets take again.
        old.filter(|left| left.generation == generation())
    }

    #[inline]
    fn end(&self, held: AnyHeld, end: End) {
        // Ordered by `hold`, which each guard has left after it wrote.
        let is_abandoned = self.is_abandoned.load(Ordering::Relaxed);
        match end {
            End::Release if is_abandoned => self.raw.abandon(held),
            End::Release => self.raw.release(held),
            End::Abandon => self.raw.abandon(held),
            End::Detach => self.raw.detach(held),
        }
    }

    pub(crate) fn is_locked(&self) -> Result<bool, LockError> {
        self.raw.is_locked().map_err(|failure| self.error(failure, Duration::ZERO))
    }

    pub(crate) fn holder(&self) -> Result<Option<Holder>, LockError> {
        self.raw.holder().map_err(|failure| self.error(failure, Duration::ZERO))
    }

    pub(crate) fn last_holder(&self) -> Result<Option<Holder>, LockError> {
        self.raw.last_holder().map_err(|failure| self.error(failure, Duration::ZERO))
    }

    pub(crate) fn standing(&self) -> Result<Standing, LockError> {
        self.raw.standing().map_err(|failure| self.error(failure, Duration::ZERO))
    }

    pub(crate) fn force_release(&self) -> Result<bool, LockError> {
        self.raw.force_release().map_err(|failure| self.error(failure, Duration::ZERO))
    }

    fn would_deadlock(&self) -> LockError {
        let own = self.raw.own_hold();
        LockError::WouldDeadlock {
            lock: self.name.clone(),
            holder: own.map(Box::new),
            twice: false,
        }
    }

    /// What an acquire of several locks that are not distinct fails with.
    pub(crate) fn named_twice(&self) -> LockError {
        LockError::WouldDeadlock { lock: self.name.clone(), holder: None, twice: true }
    }

    /// What a task that asks to enter again is told.
    #[cfg(feature = "async")]
    fn is_no_thread(&self) -> LockError {
        let reason = "no thread holds for a task, so a task cannot take a lock reentrantly";
        let source = io::Error::new(io::ErrorKind::Unsupported, reason);
        LockError::Io { lock: self.name.clone(), operation: "enter again", source }
    }

    fn error(&self, failure: Failure, waited: Duration) -> LockError {
        let lock = self.name.clone();
        match failure {
            Failure::Busy(holder) => {
                LockError::Timeout { lock, waited, holder: holder.map(Box::new) }
            }
            Failure::Orphaned(last) => {
                LockError::Orphaned { lock, waited, last: last.map(Box::new) }
            }
            Failure::Denied { path, uid, mode } => LockError::Denied { lock, path, uid, mode },
            Failure::Damaged { path, bytes } => LockError::Damaged { lock, path, bytes },
            Failure::Untrusted { path, uid, mode, allowed } => {
                LockError::Untrusted { lock, path, uid, mode, allowed }
            }
            Failure::OtherWordSize { path, bytes } => {
                LockError::OtherWordSize { lock, path, bytes }
            }
            Failure::OtherNamespace(holder) => {
                LockError::OtherNamespace { lock, holder: Box::new(holder) }
            }
            Failure::Overposted { path, units } => LockError::Overposted { lock, path, units },
            Failure::SharedPort { port, other } => LockError::SharedPort { lock, port, other },
            Failure::PortTaken { port, by } => {
                LockError::PortTaken { lock, waited, port, by: by.map(Box::new) }
            }
            Failure::Io { operation, source } => LockError::Io { lock, operation, source },
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        (self.on_drop)(&self.name);
    }
}
