//! What all locks of one name share in a process.

use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::backend::{AnyHeld, AnyLock, Failure};
use crate::deadline::Deadline;
use crate::device::{Device, Joined, Refusal, Wait};
use crate::error::{HeldHere, LockError};
use crate::hold::{Here, Hold};
use crate::holder::{Holder, Tenure};
use crate::info::Info;
use crate::kind::{Backend, Kind};
use crate::request::Request;
use crate::standing::Standing;
use crate::sys::errno;
use crate::sys::fork;
use crate::sys::generation::generation;
use crate::sys::process;
use crate::sys::socket::Owned;
use crate::sys::thread::{self, Thread};
use crate::tell;

#[derive(Debug)]
pub(crate) struct State {
    name: Box<str>,
    /// Told when nobody uses this state any more.
    on_drop: fn(&str),
    raw: AnyLock,
    hold: Hold,
    /// What the first guard left, if it was dropped before those of the same thread's later entries.
    left_behind: fork::Gated<Option<LeftBehind>>,
    /// What was taken beside a device's lock, for the hold.
    joined: fork::Gated<Option<Joined>>,
    /// What is special about the hold: [`ABANDONED`], [`JOINED`].
    marks: AtomicU8,
}

/// A guard that was not the last one of the hold has abandoned it.
const ABANDONED: u8 = 1;
/// Something was taken beside the lock.
const JOINED: u8 = 2;

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
    /// The lock stays taken by copies of its descriptor.
    Keep,
    /// The lock goes, with its files.
    Remove,
}

/// What has been taken and may have to be given back: a device's lock, while other programs still lock the
/// device. A future may be dropped there, and a subscriber that is told of the wait may panic.
struct Taken<'a> {
    raw: &'a AnyLock,
    held: Option<AnyHeld>,
}

impl Taken<'_> {
    fn keep(mut self) -> AnyHeld {
        match self.held.take() {
            Some(held) => held,
            None => unreachable!("only this and the drop take it out"),
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(held) = &mut self.held {
            give_back(self.raw, held);
        }
    }
}

/// Apart from the release that ends a hold: that is inlined, as nearly every release is one.
#[cold]
#[inline(never)]
fn give_back(raw: &AnyLock, held: &mut AnyHeld) {
    raw.release(held);
}

impl State {
    pub(crate) fn new(kind: Kind, name: &str, on_drop: fn(&str)) -> Self {
        Self {
            on_drop,
            name: name.into(),
            raw: AnyLock::new(kind, name),
            hold: Hold::default(),
            left_behind: fork::Gated::default(),
            joined: fork::Gated::default(),
            marks: AtomicU8::new(0),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn backend(&self) -> Backend {
        self.raw.backend()
    }

    /// Takes the lock for the calling thread, if it is there to be taken at once. None says nothing:
    /// [`acquire`](Self::acquire) tries again, and has the errors.
    #[inline]
    pub(crate) fn acquire_at_once(
        &self,
        request: &Request<'_>,
        deadline: Deadline<'_>,
        thread: Thread,
    ) -> Option<AnyHeld> {
        if request.recovers || request.cancel.is_some() || self.hold.is_by(thread.token) {
            return None;
        }
        let held = self.raw.acquire_at_once(deadline.start(), request.info, thread)?;
        self.start(Some(thread.token));
        Some(held)
    }

    /// Takes the lock for the calling thread. Nothing comes in hand where that enters again.
    pub(crate) fn acquire(
        &self,
        device: Option<&Device>,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Result<Option<AnyHeld>, LockError> {
        let thread = thread::current().token;
        if request.reentrant && self.hold.enter_again(thread) {
            // What was not taken for the hold is not taken in its midst.
            let joins = device.is_some_and(Device::joins);
            if joins && self.marks.load(Ordering::Relaxed) & JOINED == 0 {
                self.leave_others(None, End::Release);
                return Err(self.has_not_joined());
            }
            return Ok(None);
        }
        if self.hold.is_by(thread) {
            return Err(self.would_deadlock());
        }
        self.check_not_told()?;
        if deadline.is_cancelled() {
            return Err(self.cancelled(Duration::ZERO));
        }
        let mut held = match self.raw.acquire(deadline, request.info) {
            Ok(held) => held,
            Err(failure) => return Err(self.not_acquired(*failure, deadline)),
        };
        let Some(device) = device else {
            self.begin(&mut held, request, deadline, Some(thread))?;
            return Ok(Some(held));
        };
        let taken = Taken { raw: &self.raw, held: Some(held) };
        let joined = Wait::new(device, &self.name, deadline)
            .run()
            .map_err(|refusal| self.refused(device, refusal, deadline))?;
        self.begin_joined(taken, joined, request, deadline, Some(thread)).map(Some)
    }

    /// Takes the lock for the calling task. No thread holds it then: all others wait, and so does the task itself if it asks again.
    #[cfg(feature = "async")]
    pub(crate) async fn acquire_async(
        &self,
        device: Option<&Device>,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Result<AnyHeld, LockError> {
        if request.reentrant {
            return Err(self.is_no_thread());
        }
        self.check_not_told()?;
        if deadline.is_cancelled() {
            return Err(self.cancelled(Duration::ZERO));
        }
        let acquiring = self.raw.acquire_async(deadline, request.info);
        let acquired = match request.cancel {
            None => acquiring.await,
            Some(cancel) => {
                let acquired = async { Some(acquiring.await) };
                let cancelled = async {
                    cancel.cancelled().await;
                    None
                };
                // The one that comes second is dropped, and with it its place in the queue.
                match futures_lite::future::or(acquired, cancelled).await {
                    Some(acquired) => acquired,
                    None => return Err(self.cancelled(deadline.waited())),
                }
            }
        };
        let mut held = match acquired {
            Ok(held) => held,
            Err(failure) => return Err(self.not_acquired(*failure, deadline)),
        };
        let Some(device) = device else {
            self.begin(&mut held, request, deadline, None)?;
            return Ok(held);
        };
        let taken = Taken { raw: &self.raw, held: Some(held) };
        let joined = Wait::new(device, &self.name, deadline)
            .run_async()
            .await
            .map_err(|refusal| self.refused(device, refusal, deadline))?;
        self.begin_joined(taken, joined, request, deadline, None)
    }

    /// The device's own lock was acquired, and another program does not let the device go.
    #[cold]
    fn refused(&self, device: &Device, refusal: Refusal, deadline: Deadline<'_>) -> LockError {
        match refusal {
            Refusal::Held(holder) => self.not_acquired(Failure::Busy(Some(*holder)), deadline),
            Refusal::Gone(source) => device.gone(source),
            Refusal::Failed(operation, source) => {
                self.error(Failure::Io { operation, source }, deadline.waited())
            }
        }
    }

    #[cold]
    fn not_acquired(&self, failure: Failure, deadline: Deadline<'_>) -> LockError {
        match failure {
            // It was given up for that.
            Failure::Busy(_) | Failure::Orphaned(_) if deadline.is_cancelled() => {
                self.cancelled(deadline.waited())
            }
            failure => self.error(failure, deadline.waited()),
        }
    }

    fn cancelled(&self, waited: Duration) -> LockError {
        LockError::Cancelled { lock: self.name.clone(), waited }
    }

    /// Begins the hold. What it fails with is given back.
    #[inline]
    fn begin(
        &self,
        held: &mut AnyHeld,
        request: &Request<'_>,
        deadline: Deadline<'_>,
        thread: Option<NonZeroU64>,
    ) -> Result<(), LockError> {
        if request.recovers {
            self.check_record(held, deadline)?;
        }
        self.start(thread);
        Ok(())
    }

    #[cold]
    fn check_record(&self, held: &mut AnyHeld, deadline: Deadline<'_>) -> Result<(), LockError> {
        self.raw.check_record(held).map_err(|failure| {
            give_back(&self.raw, held);
            self.error(failure, deadline.waited())
        })
    }

    /// As [`begin`](Self::begin), with what was taken beside a device's lock.
    fn begin_joined(
        &self,
        taken: Taken<'_>,
        joined: Option<Joined>,
        request: &Request<'_>,
        deadline: Deadline<'_>,
        thread: Option<NonZeroU64>,
    ) -> Result<AnyHeld, LockError> {
        let Some(joined) = joined else {
            let mut held = taken.keep();
            self.begin(&mut held, request, deadline, thread)?;
            return Ok(held);
        };
        let mut gate = fork::gate().map_err(|source| self.cannot("enter the library", source))?;
        // In a forked child it may be left of what its parent held.
        let old = self.joined.get(&mut gate).replace(joined);
        drop(gate);
        drop(old);
        let mut held = taken.keep();
        if let Err(error) = self.begin(&mut held, request, deadline, thread) {
            self.give_back_joined();
            return Err(error);
        }
        self.marks.fetch_or(JOINED, Ordering::Relaxed);
        Ok(held)
    }

    /// Before the lock itself, which was taken first.
    #[cold]
    fn give_back_joined(&self) {
        let joined = fork::gate().ok().and_then(|mut gate| self.joined.get(&mut gate).take());
        drop(joined);
    }

    #[inline]
    fn start(&self, thread: Option<NonZeroU64>) {
        // In a forked child it may be left of what its parent held.
        self.marks.store(0, Ordering::Relaxed);
        self.hold.begin(thread);
    }

    /// Takes back a guard. The last one ends the hold. (The hold ends first: once the lock is given
    /// away, another thread of this process may begin its own.)
    #[inline]
    pub(crate) fn leave(&self, held: &mut Option<AnyHeld>, end: End, thread: Thread) {
        if end == End::Abandon {
            self.marks.fetch_or(ABANDONED, Ordering::Relaxed);
        }
        match held {
            Some(held) if self.hold.leave_if_last(thread.token) => self.end(held, end),
            _ => self.leave_others(held.take(), end),
        }
    }

    /// As [`leave`](Self::leave), where other guards of the thread's are left, or this is one of those.
    #[cold]
    fn leave_others(&self, held: Option<AnyHeld>, end: End) {
        if let Some(held) = held {
            // Others are left. What they will end the hold with lies there before this guard is
            // counted out: the last one finds it.
            let generation = generation();
            if let Ok(mut gate) = fork::gate() {
                let left = LeftBehind { held, end, generation };
                let old = self.left_behind.get(&mut gate).replace(left);
                drop(gate);
                drop(old); // an ancestor's, whose sockets take the gate again
            } else {
                // Only in a signal handler that has interrupted this thread in there, where no guard may be
                // dropped. What it holds is freed then, whatever other guards there are.
                let mut held = held;
                self.end(&mut held, end);
            }
        }
        if self.hold.leave() {
            if let Some(mut left) = self.take_left_behind() {
                self.end(&mut left.held, left.end);
            }
        }
    }

    /// Shows others another text of the caller, who holds the lock, and has `held` in hand.
    pub(crate) fn set_info(&self, held: Option<&AnyHeld>, text: &str) -> Result<(), LockError> {
        self.at_once(self.raw.set_info(held, Info::Text(text)))
    }

    /// Whether a hold can end with [`End::Detach`].
    pub(crate) fn check_detach(&self) -> Result<(), LockError> {
        self.at_once(self.raw.check_detach())
    }

    /// A copy of the descriptor that the lock is `held` by.
    pub(crate) fn descriptor(&self, held: &AnyHeld) -> Result<Owned, LockError> {
        self.at_once(held.descriptor())
    }

    /// Takes up what the first guard has left.
    fn take_left_behind(&self) -> Option<LeftBehind> {
        let left = fork::gate().ok().and_then(|mut gate| self.left_behind.get(&mut gate).take());
        // An ancestor's is dropped here, outside of the gate, which its sockets take again.
        left.filter(|left| left.generation == generation())
    }

    #[inline]
    fn end(&self, held: &mut AnyHeld, end: End) {
        let is_heard = tell::is_heard();
        // Ordered by `hold`, which each guard has left after it wrote.
        let marks = self.marks.load(Ordering::Relaxed);
        match (end, marks) {
            (End::Release, 0) => self.raw.release(held),
            (end, marks) => self.end_otherwise(held, end, marks),
        }
        // The lock is gone: from here on this is nobody's time but the caller's.
        if is_heard {
            self.tell_end(held, end, marks);
        }
    }

    #[cold]
    #[inline(never)]
    fn end_otherwise(&self, held: &mut AnyHeld, end: End, marks: u8) {
        if marks & JOINED != 0 {
            self.give_back_joined();
        }
        match end {
            End::Release if marks & ABANDONED != 0 => self.raw.abandon(held),
            End::Release => give_back(&self.raw, held),
            End::Abandon => self.raw.abandon(held),
            End::Detach => self.raw.detach(held),
            End::Keep => self.raw.keep(held),
            End::Remove => self.raw.remove(held),
        }
    }

    #[cold]
    fn tell_end(&self, held: &AnyHeld, end: End, marks: u8) {
        let how = match end {
            End::Release if marks & ABANDONED == 0 => "released",
            End::Release | End::Abandon => "abandoned",
            End::Detach => "detached",
            End::Keep => "kept",
            End::Remove => "removed",
        };
        tell::released(&self.name, held.granted(), how);
    }

    pub(crate) fn is_locked(&self) -> Result<bool, LockError> {
        self.at_once(self.raw.is_locked())
    }

    pub(crate) fn holder(&self) -> Result<Option<Holder>, LockError> {
        self.at_once(self.raw.holder())
    }

    pub(crate) fn last_holder(&self) -> Result<Option<Holder>, LockError> {
        self.at_once(self.raw.last_holder())
    }

    pub(crate) fn standing(&self) -> Result<Standing, LockError> {
        self.at_once(self.raw.standing())
    }

    pub(crate) fn force_release(&self) -> Result<bool, LockError> {
        self.at_once(self.raw.force_release())
    }

    fn would_deadlock(&self) -> LockError {
        let own = self.raw.own_hold();
        LockError::WouldDeadlock {
            lock: self.name.clone(),
            holder: own.map(Box::new),
            twice: false,
        }
    }

    /// A subscriber that is told of a wait for this lock would queue behind that.
    fn check_not_told(&self) -> Result<(), LockError> {
        if !tell::is_telling_of(&self.name) {
            return Ok(());
        }
        let operation = "wait in a subscriber that is told of this thread's own wait";
        Err(self.cannot(operation, io::Error::from_raw_os_error(errno::EDEADLK)))
    }

    /// What an acquire of several locks that are not distinct fails with.
    pub(crate) fn named_twice(&self) -> LockError {
        LockError::WouldDeadlock { lock: self.name.clone(), holder: None, twice: true }
    }

    /// What a child is told that writes to its parent's record.
    #[cold]
    pub(crate) fn is_a_parents(&self) -> LockError {
        let reason = "the lock is held by this process's parent";
        self.cannot("write the text", io::Error::new(io::ErrorKind::PermissionDenied, reason))
    }

    /// What a task that asks to enter again is told.
    #[cfg(feature = "async")]
    fn is_no_thread(&self) -> LockError {
        let reason = "no thread holds for a task, so a task cannot take a lock reentrantly";
        self.cannot("enter again", io::Error::new(io::ErrorKind::Unsupported, reason))
    }

    /// What a thread is told that enters again with more than it has taken.
    #[cold]
    fn has_not_joined(&self) -> LockError {
        let reason =
            "this thread holds it without having joined anything; join where it is acquired first";
        self.cannot(
            "join what others lock it by",
            io::Error::new(io::ErrorKind::Unsupported, reason),
        )
    }

    /// What is told of a lock that only a device's could join.
    #[cold]
    pub(crate) fn cannot_join(&self, reason: &'static str) -> LockError {
        let why = io::Error::new(io::ErrorKind::InvalidInput, reason);
        self.cannot("join what others lock it by", why)
    }

    /// What in this process holds the lock, unless `holder` is seen to be another process.
    fn held_here(&self, holder: Option<&Holder>) -> Option<HeldHere> {
        let is_another = |holder: &Holder| {
            holder.tenure != Tenure::Holds || holder.pid != Some(std::process::id())
        };
        if holder.is_some_and(is_another) {
            return None;
        }
        Some(match self.hold.here()? {
            Here::Task => HeldHere::Task,
            Here::Thread => {
                let thread = holder.and_then(|holder| holder.thread);
                HeldHere::Thread { name: thread.and_then(process::command).map(Into::into) }
            }
        })
    }

    /// Whether the calling thread holds the lock.
    pub(crate) fn is_held_by_thread(&self) -> bool {
        self.hold.is_by(thread::current().token)
    }

    /// Whether this process holds the lock: one of its threads, or one of its tasks.
    pub(crate) fn is_held_by_process(&self) -> bool {
        self.hold.here().is_some()
    }

    /// The outcome of what waits for nothing.
    fn at_once<T>(&self, outcome: Result<T, Failure>) -> Result<T, LockError> {
        outcome.map_err(|failure| self.error(failure, Duration::ZERO))
    }

    /// That `operation` is refused, as in "cannot …".
    #[cold]
    pub(crate) fn cannot(&self, operation: &'static str, why: io::Error) -> LockError {
        self.error(Failure::Io { operation, source: why }, Duration::ZERO)
    }

    fn error(&self, failure: Failure, waited: Duration) -> LockError {
        let lock = self.name.clone();
        match failure {
            Failure::Busy(holder) => {
                let here = self.held_here(holder.as_ref());
                LockError::Timeout {
                    lock,
                    waited,
                    holder: holder.map(Box::new),
                    here,
                    device: None,
                }
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
            Failure::OtherBackend { wanted, other, holder } => {
                LockError::OtherBackend { lock, wanted, other, holder }
            }
            Failure::Overposted { path, units } => LockError::Overposted { lock, path, units },
            Failure::Io { operation, source } => {
                LockError::Io { lock, operation, source: source.into() }
            }
            Failure::SharedPort { port, other } => LockError::SharedPort { lock, port, other },
            Failure::PortTaken { port, by } => {
                LockError::PortTaken { lock, waited, port, by: by.map(Box::new) }
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        (self.on_drop)(&self.name);
    }
}
