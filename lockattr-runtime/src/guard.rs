//! The guard that holds a lock.

use std::fmt;
use std::io;
use std::mem;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::AnyHeld;
use crate::deadline::Deadline;
use crate::device::Device;
use crate::error::LockError;
use crate::holder::Holder;
use crate::request::Request;
use crate::state::{End, State};
use crate::sys::clock;
use crate::sys::generation::generation;
use crate::sys::thread::current;

/// Holds a lock, and gives it back when dropped.
///
/// It may be sent to another thread. In a child process a copy of it does nothing, however the child was
/// made (`fork`, `_Fork`, `clone`): the lock stays the parent's. A child that shares its parent's memory
/// (`vfork`, `CLONE_VM`) must not drop it; it may only `exec` or end.
///
/// Not to be dropped in a signal handler.
///
/// ```
/// # use std::time::Duration;
/// # use lockattr::{Lock, LockError};
/// static BUS: Lock = Lock::port("doc-guard");
///
/// let guard = BUS.acquire(Duration::from_secs(1))?;
/// // No other process is on the bus here.
/// drop(guard); // or the end of its scope
/// assert!(!BUS.is_locked()?);
/// # Ok::<_, LockError>(())
/// ```
#[must_use = "the lock is given back when the guard is dropped"]
pub struct LockGuard {
    state: Arc<State>,
    /// None in a guard of a thread that has entered again.
    held: Option<AnyHeld>,
    /// When it was asked for, in nanoseconds of the monotonic clock.
    asked: u64,
    generation: u32,
    end: End,
    /// Where a panic is an abandonment: whether the thread was panicking when this was asked for.
    watches_panics: Option<bool>,
}

// A panic that leaves the body is told to the next holder, where it is asked for; see `abandon_on_panic`.
impl UnwindSafe for LockGuard {}
impl RefUnwindSafe for LockGuard {}

impl LockGuard {
    #[inline]
    pub(crate) fn acquire(
        state: Arc<State>,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Result<Self, LockError> {
        let thread = current();
        match state.acquire_at_once(request, deadline, thread) {
            Some(held) => Ok(Self {
                state,
                held: Some(held),
                asked: deadline.start(),
                generation: thread.generation,
                end: End::Release,
                watches_panics: None,
            }),
            None => Self::wait(state, None, request, deadline),
        }
    }

    /// As [`acquire`](Self::acquire), of a device.
    pub(crate) fn acquire_device(
        state: Arc<State>,
        device: &Device,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Result<Self, LockError> {
        Self::wait(state, Some(device), request, deadline)
            .map_err(|error| error.at_path(device.path()))
    }

    /// Not inlined: what it makes on its way would be moved about for the others, too.
    #[cold]
    fn wait(
        state: Arc<State>,
        device: Option<&Device>,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Result<Self, LockError> {
        let held = state.acquire(device, request, deadline)?;
        Ok(Self::new(state, held, request, deadline))
    }

    fn new(
        state: Arc<State>,
        held: Option<AnyHeld>,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Self {
        let watches_panics = request.recovers.then(thread::panicking);
        let (asked, generation) = (deadline.start(), generation());
        Self { state, held, asked, generation, end: End::Release, watches_panics }
    }

    /// When the lock was granted, in nanoseconds of the monotonic clock. A thread that enters again is
    /// granted the lock when it asks.
    fn granted(&self) -> u64 {
        self.held.as_ref().map_or(self.asked, AnyHeld::granted)
    }

    /// How long the call that acquired this waited: next to nothing if the lock was free. Of several locks that
    /// were taken together, it counts from the beginning of the call.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-guard-waited");
    ///
    /// let guard = BUS.acquire(Duration::from_secs(1))?;
    /// if guard.waited() > Duration::from_millis(500) {
    ///     eprintln!("{}: waited for {:?}", guard.lock_name(), guard.waited());
    /// }
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.granted().saturating_sub(self.asked))
    }

    /// When the lock was acquired by this guard.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-guard-acquired-at");
    ///
    /// let guard = BUS.try_acquire()?;
    /// assert!(guard.acquired_at() <= Instant::now());
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn acquired_at(&self) -> Instant {
        let now = Instant::now();
        now.checked_sub(self.held_for()).unwrap_or(now)
    }

    /// For how long this guard has held the lock.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static FLASH: Lock = Lock::port("doc-guard-held-for");
    ///
    /// let guard = FLASH.try_acquire()?;
    /// for sector in 0..64 {
    ///     // … erases the sector …
    ///     if guard.held_for() > Duration::from_secs(5) {
    ///         break; // let others have a turn
    ///     }
    /// }
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn held_for(&self) -> Duration {
        Duration::from_nanos(clock::monotonic().saturating_sub(self.granted()))
    }

    #[cfg(feature = "async")]
    pub(crate) async fn acquire_async(
        state: Arc<State>,
        device: Option<&Device>,
        request: &Request<'_>,
        deadline: Deadline<'_>,
    ) -> Result<Self, LockError> {
        match state.acquire_async(device, request, deadline).await {
            Ok(held) => Ok(Self::new(state, Some(held), request, deadline)),
            Err(error) => Err(match device {
                Some(device) => error.at_path(device.path()),
                None => error,
            }),
        }
    }

    /// The name of the lock that this holds.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-guard-name");
    ///
    /// let guard = BUS.try_acquire()?;
    /// assert_eq!(guard.lock_name(), "doc-guard-name");
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn lock_name(&self) -> &str {
        self.state.name()
    }

    /// Changes what others see in [`Holder::info`], while the lock is held. They see it at once, and until the lock
    /// is given back or the text is changed again. For a long piece of work that tells how far it is.
    ///
    /// As with [`Acquire::info`](crate::Acquire::info) the record keeps some 3,500 bytes; what is longer is cut at
    /// a character's end. A NUL is shown as U+FFFD. Other control characters stay, and the [`Display`](fmt::Display)
    /// of a [`Holder`] escapes them. The time in the record stays that of the acquire.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static FLASH: Lock = Lock::port("doc-set-info");
    ///
    /// let guard = FLASH.try_acquire()?;
    /// for sector in 0..8 {
    ///     guard.set_info(&format!("erasing sector {sector} of 8"))?;
    /// }
    /// let holder = FLASH.holder()?.expect("this process holds it");
    /// assert_eq!(holder.info.as_deref(), Some("erasing sector 7 of 8"));
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockError::Io`] if others cannot see it: the record cannot be written, or another program has written over
    /// that of a semaphore (after a forced release, or by resourcelock's `set_lock_info`). The lock is held all the
    /// same. In a child process this is always so: its parent holds the lock.
    pub fn set_info(&self, text: &str) -> Result<(), LockError> {
        if self.generation != generation() {
            return Err(self.state.is_a_parents());
        }
        self.state.set_info(self.held.as_ref(), text)
    }

    /// The holder before, if that process died while it held, or abandoned the lock
    /// ([`Holder::tenure`] tells which): what it was working on may need to be brought in order first, such
    /// as a bus to be reset. None if the lock was given back properly, or if the record does not tell.
    ///
    /// With the port backend each user has a record, so this tells of processes of the same user.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-recovered-from");
    ///
    /// # let mut resets = 0;
    /// # let mut reset_bus = || resets += 1;
    /// # BUS.try_acquire()?.abandon();
    /// let guard = BUS.acquire(Duration::from_secs(1))?;
    /// if let Some(last) = guard.recovered_from() {
    ///     eprintln!("resets the bus: {last}"); // left taken for 0.2 s by pid 812 (sensord) in …
    ///     reset_bus();
    /// }
    /// # drop(guard);
    /// # assert_eq!(resets, 1);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn recovered_from(&self) -> Option<&Holder> {
        self.held.as_ref()?.recovered_from()
    }

    /// Gives the lock back as if this process had died: the next holder's
    /// [`recovered_from`](Self::recovered_from) tells. For what could not be brought in order.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError, Tenure};
    /// static FLASH: Lock = Lock::port("doc-abandon");
    ///
    /// # let verify = || false;
    /// let guard = FLASH.acquire(Duration::from_secs(1))?;
    /// if !verify() {
    ///     guard.abandon(); // what is in the flash is half an image
    /// }
    ///
    /// let guard = FLASH.acquire(Duration::from_secs(1))?;
    /// assert_eq!(guard.recovered_from().map(|last| last.tenure), Some(Tenure::Abandoned));
    /// # Ok::<_, LockError>(())
    /// ```
    pub fn abandon(mut self) {
        self.set_abandoned(true);
    }

    /// From here on, dropping the guard in a panic is [`abandon`](Self::abandon), as it is where the attribute
    /// has `on_recover`. Without it a panic that leaves the body gives the lock back like any other end.
    ///
    /// A panic that began before this call does not count, as with [`std::sync::Mutex`]'s poison.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, Tenure};
    /// static BUS: Lock = Lock::port("doc-abandon-on-panic");
    ///
    /// let outcome = std::panic::catch_unwind(|| {
    ///     let _guard = BUS.acquire(Duration::from_secs(1)).unwrap().abandon_on_panic();
    ///     panic!("half a write is on the bus");
    /// });
    /// # assert!(outcome.is_err());
    /// let guard = BUS.acquire(Duration::from_secs(1)).unwrap();
    /// assert_eq!(guard.recovered_from().map(|last| last.tenure), Some(Tenure::Abandoned));
    /// ```
    pub fn abandon_on_panic(mut self) -> Self {
        self.watches_panics = Some(thread::panicking());
        self
    }

    /// Leaves the lock taken, also when this process ends, until it is released by force
    /// ([`Lock::force_release`](crate::Lock::force_release), resourcelock's `unget`). It is what
    /// resourcelock's `get` does, and for semaphores only. Others are told who did it
    /// ([`Tenure::Detached`](crate::Tenure::Detached)), and nobody takes it for the lock of a holder that
    /// died.
    ///
    /// Where a thread has entered again, the lock is left taken with its last guard.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError, Tenure};
    /// static RIG: Lock = Lock::semaphore("doc-detach");
    ///
    /// RIG.with().info("board 7 is being soldered").acquire()?.detach()?;
    /// assert_eq!(RIG.holder()?.map(|holder| holder.tenure), Some(Tenure::Detached));
    ///
    /// // Later, in this program or in another one:
    /// assert!(RIG.force_release()?);
    /// assert!(!RIG.is_locked()?);
    /// # RIG.remove_files()?;
    /// # Ok::<_, LockError>(())
    /// ```
    ///
    /// # Errors
    /// A port or TCP lock is held by a process, and ends with it: [`LockError::Io`] of the kind `Unsupported`.
    /// The lock is given back then.
    pub fn detach(mut self) -> Result<(), LockError> {
        self.state.check_detach()?;
        self.end = End::Detach;
        Ok(())
    }

    /// Leaves a port or TCP lock to a descriptor: it is held until the last copy of that one is closed, by whatever
    /// processes have inherited it, as a lock of `flock(2)` is. It is what `lockattr run --inherit` does.
    ///
    /// The descriptor is close-on-exec, as std's are; what is to inherit it needs that flag cleared. Others are
    /// told that the lock is kept ([`Tenure::Kept`](crate::Tenure::Kept)). The end is not told as a death,
    /// and the lock is not handed to the first waiter: all waiters try anew when the last copy goes, in no
    /// order.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, Tenure};
    /// static BUS: Lock = Lock::port("doc-descriptor");
    ///
    /// let descriptor = BUS.acquire(Duration::from_secs(1))?.into_descriptor()?;
    /// assert_eq!(BUS.holder()?.map(|holder| holder.tenure), Some(Tenure::Kept));
    /// drop(descriptor);
    /// assert!(!BUS.is_locked()?);
    /// # Ok::<_, lockattr::LockError>(())
    /// ```
    ///
    /// # Errors
    /// A semaphore has no descriptor, and cannot outlive its process, nor can the hold of a thread that has
    /// entered again, or a lock on another system than Linux: [`LockError::Io`] of the kind `Unsupported`. [`LockError::Io`] also where there is no
    /// descriptor left. The lock is given back then.
    #[cfg(unix)]
    pub fn into_descriptor(mut self) -> Result<OwnedFd, LockError> {
        let held = self.held.as_ref().ok_or_else(|| {
            let reason = "this thread has entered it again";
            let why = io::Error::new(io::ErrorKind::Unsupported, reason);
            self.state.cannot("leave it to a descriptor", why)
        })?;
        let descriptor = self.state.descriptor(held)?;
        self.end = End::Keep;
        Ok(descriptor)
    }

    /// Whether this began the hold: not that of a thread that has entered again.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_first(&self) -> bool {
        self.held.is_some()
    }

    /// Ends the hold and removes the lock's files.
    pub(crate) fn remove(mut self) {
        self.end = End::Remove;
    }

    /// Whether dropping the guard means [`abandon`](Self::abandon).
    pub(crate) fn set_abandoned(&mut self, abandoned: bool) {
        self.end = if abandoned { End::Abandon } else { End::Release };
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        let thread = current();
        if self.generation == thread.generation {
            let is_left_by_a_panic = self.watches_panics == Some(false) && thread::panicking();
            let end = if is_left_by_a_panic { End::Abandon } else { self.end };
            return self.state.leave(&mut self.held, end, thread);
        }
        // A child does not hold what its parent holds. Nothing is freed either: in a child that was made
        // without at-fork handlers another thread of the parent may have been inside the allocator.
        mem::forget(self.held.take());
        mem::forget(Arc::clone(&self.state));
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").field("lock", &self.lock_name()).finish_non_exhaustive()
    }
}
