//! The guard that holds a lock.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::thread;

use crate::backend::AnyHeld;
use crate::error::LockError;
use crate::holder::Holder;
use crate::info::Info;
use crate::state::{End, Request, State};
use crate::sys::generation::generation;

/// Holds a lock, and gives it back when dropped.
///
/// It may be sent to another thread. In a child process a copy of it does nothing, however the child was
/// made (`fork`, `_Fork`, `clone`): the lock stays the parent's. A child that shares its parent's memory
/// (`vfork`, `CLONE_VM`) must not drop it; it may only `exec` or end.
///
/// Not to be dropped in a signal handler.
#[must_use = "the lock is given back when the guard is dropped"]
pub struct LockGuard {
    state: Arc<State>,
    /// None in a guard of a thread that has entered again.
    held: Option<AnyHeld>,
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
        request: Request,
        info: Info<'_>,
    ) -> Result<Self, LockError> {
        let held = state.acquire(request, info)?;
        Ok(Self::new(state, held, request))
    }

    #[inline]
    fn new(state: Arc<State>, held: Option<AnyHeld>, request: Request) -> Self {
        let watches_panics = request.recovers.then(thread::panicking);
        Self { state, held, generation: generation(), end: End::Release, watches_panics }
    }

    #[cfg(feature = "async")]
    pub(crate) async fn acquire_async(
        state: Arc<State>,
        request: Request,
        info: Info<'_>,
    ) -> Result<Self, LockError> {
        let held = Some(state.acquire_async(request, info).await?);
        Ok(Self::new(state, held, request))
    }

    /// The name of the lock that this holds.
    #[must_use]
    pub fn lock_name(&self) -> &str {
        self.state.name()
    }

    /// Who held the lock before, if that process died while it held, or abandoned the lock
    /// ([`Holder::tenure`] tells which): what it was working on may need to be brought in order first, such
    /// as a bus to be reset. None if the lock was given back properly, or if the record does not tell.
    ///
    /// With the port backend each user has a record, so this tells of processes of the same user.
    #[must_use]
    pub fn recovered_from(&self) -> Option<&Holder> {
        self.held.as_ref()?.recovered_from()
    }

    /// Gives the lock back as if this process had died: the next holder's
    /// [`recovered_from`](Self::recovered_from) tells. For what could not be brought in order.
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
    /// # use lockattr_runtime::{Lock, Tenure};
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

    /// Leaves the lock taken, also when this process ends, until somebody releases it by force
    /// ([`Lock::force_release`](crate::Lock::force_release), resourcelock's `unget`). It is what
    /// resourcelock's `get` does, and for semaphores only. Others are told who did it
    /// ([`Tenure::Detached`](crate::Tenure::Detached)), and nobody takes it for the lock of a holder that
    /// died.
    ///
    /// Where a thread has entered again, the lock is left taken with its last guard.
    ///
    /// # Errors
    /// A port lock is held by a process, and ends with it: [`LockError::Io`] of the kind `Unsupported`.
    /// The lock is given back then.
    pub fn detach(mut self) -> Result<(), LockError> {
        self.state.check_detach()?;
        self.end = End::Detach;
        Ok(())
    }

    /// Leaves a port lock to a descriptor: it is held until the last copy of that one is closed, by whatever
    /// processes have inherited it, as a lock of `flock(2)` is. It is what `lockattr run --inherit` does.
    ///
    /// The descriptor is close-on-exec, as std's are; what is to inherit it needs that flag cleared. Others are
    /// told that the lock is kept ([`Tenure::Kept`](crate::Tenure::Kept)). The end is not told as a death,
    /// and the lock is not handed to the first waiter: all waiters try anew when the last copy goes, in no
    /// order.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr_runtime::{Lock, Tenure};
    /// static BUS: Lock = Lock::port("doc-descriptor");
    ///
    /// let descriptor = BUS.acquire(Duration::from_secs(1))?.into_descriptor()?;
    /// assert_eq!(BUS.holder()?.map(|holder| holder.tenure), Some(Tenure::Kept));
    /// drop(descriptor);
    /// assert!(!BUS.is_locked()?);
    /// # Ok::<_, lockattr_runtime::LockError>(())
    /// ```
    ///
    /// # Errors
    /// A semaphore has no descriptor, and cannot outlive its process, nor can the hold of a thread that has
    /// entered again: [`LockError::Io`] of the kind `Unsupported`. [`LockError::Io`] also where there is no
    /// descriptor left. The lock is given back then.
    pub fn into_descriptor(mut self) -> Result<OwnedFd, LockError> {
        let held = self.held.as_ref().ok_or_else(|| LockError::Io {
            lock: self.state.name().into(),
            operation: "leave it to a descriptor",
            source: io::Error::new(io::ErrorKind::Unsupported, "this thread has entered it again"),
        })?;
        let descriptor = self.state.descriptor(held)?;
        self.end = End::Keep;
        Ok(descriptor)
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
        let held = self.held.take();
        if self.generation == generation() {
            let is_left_by_a_panic = self.watches_panics == Some(false) && thread::panicking();
            let end = if is_left_by_a_panic { End::Abandon } else { self.end };
            return self.state.leave(held, end);
        }
        // A child does not hold what its parent holds. Nothing is freed either: in a child that was made
        // without at-fork handlers another thread of the parent may have been inside the allocator.
        mem::forget(held);
        mem::forget(Arc::clone(&self.state));
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").field("lock", &self.lock_name()).finish_non_exhaustive()
    }
}
