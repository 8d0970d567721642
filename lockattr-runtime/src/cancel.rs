//! Ending a wait from outside.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use crate::sys::event::Event;
use crate::sys::generation::generation;
use crate::sys::poll::{self, AsDescriptor, Descriptor};

/// Ends waits for locks from outside: from another thread, when the user presses Ctrl-C, when a service is to
/// stop.
///
/// Give it to any number of calls by [`Acquire::cancelled_by`](crate::Acquire::cancelled_by). Clones are one
/// handle. From [`cancel`](Self::cancel) on, each of the calls fails with
/// [`LockError::Cancelled`](crate::LockError::Cancelled): those that wait, at once, and later ones before they
/// wait. A waiter leaves its queue, and others move up. (A process whose turn at a semaphore is next notices
/// within 10 ms; one that cannot queue, within 25 ms.) A guard that was acquired before is not affected. There is
/// no way back: make a new handle.
///
/// Each handle has a file descriptor (`eventfd(2)`; two on other unixes than Linux) while it lives. Without a free
/// one, and on Windows, it still works, and its waiters look for it every 10 ms. A forked child has a handle of its own: to cancel there does not affect its
/// parent.
///
/// Not for signal handlers, as other uses of locks. Wait for signals in a thread, for instance by the crate
/// `signal-hook` or `ctrlc`:
///
/// ```
/// use std::time::Duration;
/// use lockattr::{Cancel, Lock, LockError};
///
/// static BUS: Lock = Lock::port("doc-cancel");
///
/// let cancel = Cancel::new();
/// let on_ctrl_c = cancel.clone();
/// # let guard = BUS.acquire(Duration::from_secs(1))?;
/// let signals = std::thread::spawn(move || {
///     // for _ in signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?.forever() { … }
///     on_ctrl_c.cancel();
/// });
/// # std::thread::spawn(move || {
/// match BUS.with().timeout(Duration::MAX).cancelled_by(&cancel).acquire() {
///     Err(LockError::Cancelled { .. }) => println!("stopped by the user"),
///     other => drop(other?),
/// }
/// # assert!(cancel.is_cancelled());
/// # Ok::<_, LockError>(())
/// # }).join().unwrap()?;
/// # signals.join().unwrap();
/// # Ok::<_, LockError>(())
/// ```
#[derive(Clone)]
pub struct Cancel(Arc<Shared>);

struct Shared {
    is_cancelled: AtomicBool,
    /// Can be read from the cancellation on. None if there was no free descriptor.
    event: Option<Event>,
    /// Whose event it is: a forked child shares it with its parent, and must leave it alone.
    generation: u32,
}

/// How often to look where nothing tells.
const PAUSE: Duration = Duration::from_millis(10);

impl Cancel {
    /// A handle that has not cancelled anything.
    ///
    /// ```
    /// let cancel = lockattr::Cancel::new();
    /// assert!(!cancel.is_cancelled());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        let is_cancelled = AtomicBool::new(false);
        Self(Arc::new(Shared { is_cancelled, event: Event::new(), generation: generation() }))
    }

    /// Ends all waits that have this handle, now and from now on.
    ///
    /// ```
    /// # use lockattr::{Cancel, Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-cancel-lasts");
    ///
    /// let cancel = Cancel::new();
    /// cancel.cancel();
    /// // It lasts: a call that begins later fails as well, though the lock is free.
    /// let outcome = BUS.with().cancelled_by(&cancel).acquire();
    /// assert!(matches!(outcome, Err(LockError::Cancelled { .. })));
    /// ```
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Release);
        if let Some(event) = self.event() {
            event.set();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called, on this handle or a clone of it.
    ///
    /// ```
    /// # use lockattr::Cancel;
    /// let stop = Cancel::new();
    /// let handler = stop.clone();
    /// handler.cancel();
    ///
    /// let mut readings = 0;
    /// while !stop.is_cancelled() {
    ///     readings += 1;
    /// }
    /// assert_eq!(readings, 0);
    /// ```
    #[must_use]
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Acquire)
    }

    fn event(&self) -> Option<&Event> {
        self.0.event.as_ref().filter(|_| self.0.generation == generation())
    }

    /// As [`poll::wait_readable`], and until this is cancelled at most. May return early.
    pub(crate) fn wait_readable(
        &self,
        descriptor: &impl AsDescriptor,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        if let Some(event) = self.event() {
            return event.wait_readable(descriptor, timeout);
        }
        let timeout = timeout.map_or(PAUSE, |timeout| timeout.min(PAUSE));
        poll::wait_readable(descriptor, Some(timeout))
    }

    /// As [`wait_readable`](Self::wait_readable), for the first of as many as there are.
    pub(crate) fn wait_any<'a>(
        &'a self,
        descriptors: impl Iterator<Item = Descriptor<'a>>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        if let Some(event) = self.event() {
            return event.wait_any(descriptors, timeout);
        }
        let timeout = timeout.map_or(PAUSE, |timeout| timeout.min(PAUSE));
        poll::wait_any(descriptors, Some(timeout))
    }

    /// Ready when this is cancelled.
    #[cfg(feature = "async")]
    pub(crate) async fn cancelled(&self) {
        while !self.is_cancelled() {
            let told = match self.event() {
                Some(event) => event.is_set().await,
                None => false,
            };
            if !told {
                async_io::Timer::after(PAUSE).await;
            }
        }
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
