//! The ways to exclude other processes: a trait, and one module for each.
//!
//! A new backend is a module that implements [`RawLock`], a variant of [`Backend`] with its limits
//! in [`name`](crate::name), and an arm in each `match` of [`AnyLock`].

mod port;

#[cfg(feature = "async")]
use std::future::Future;
use std::io;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::holder::Holder;
use crate::info::Info;
use crate::kind::Backend;

/// A named lock that processes and threads exclude each other by.
///
/// What an implementation owes:
/// - Between a successful [`acquire`](Self::acquire) and the [`release`](Self::release) of what it
///   returned, no other acquire of the name succeeds on this machine: in no process, in no thread,
///   through no other value of this type.
/// - A failed acquire holds nothing and leaves nothing behind that keeps others out.
/// - When the process ends in whatever way, what it held becomes free without anybody's doing.
/// - A forked child holds nothing of what its parent holds, and whatever it does with its copy of a
///   [`Held`](Self::Held) leaves the parent's lock alone.
/// - Looking ([`is_locked`](Self::is_locked), [`holder`](Self::holder),
///   [`last_holder`](Self::last_holder)) takes nothing and creates nothing.
pub(crate) trait RawLock: Send + Sync + Sized {
    /// What a holder has in hand. Dropping it must free the lock too, if perhaps not as fairly as
    /// [`release`](Self::release) does.
    type Held: Send;

    /// Takes the lock, waiting until `deadline` at most, and writes `info` into its record. A
    /// deadline of no wait at all makes this try once.
    fn acquire(&self, deadline: Deadline, info: Info<'_>) -> Result<Self::Held, Failure>;

    /// As [`acquire`](Self::acquire), without blocking the thread. Dropping the future leaves the
    /// queue, and passes on what had just come.
    #[cfg(feature = "async")]
    fn acquire_async(
        &self,
        deadline: Deadline,
        info: Info<'_>,
    ) -> impl Future<Output = Result<Self::Held, Failure>> + Send;

    /// Gives the lock back. Must not fail: where the fair way is barred, the lock becomes free.
    fn release(&self, held: Self::Held);

    /// Gives the lock back as if its holder had died: the next holder's
    /// [`recovered_from`](Self::recovered_from) tells.
    fn abandon(&self, held: Self::Held);

    /// The holder before, if it died while it held.
    fn recovered_from(held: &Self::Held) -> Option<&Holder>;

    /// Whether anybody holds the lock.
    fn is_locked(&self) -> io::Result<bool>;

    /// Who holds the lock.
    fn holder(&self) -> io::Result<Option<Holder>>;

    /// Who took the lock last, whether it holds still or not.
    fn last_holder(&self) -> io::Result<Option<Holder>>;
}

/// Why a backend did not acquire. The lock's name is added further up.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Somebody held it until the deadline.
    Busy(Option<Holder>),
    /// Somebody holds the name where this backend does not reach.
    OtherNamespace(Holder),
    /// The system refused `operation`, as in "cannot …".
    Io { operation: &'static str, source: io::Error },
}

impl Failure {
    /// For `map_err`: what could not be done, and why.
    fn io(operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { operation, source }
    }
}

/// A lock of any backend.
#[derive(Debug)]
pub(crate) enum AnyLock {
    Port(port::Port),
}

/// What the holder of an [`AnyLock`] has in hand.
#[derive(Debug)]
pub(crate) enum AnyHeld {
    Port(<port::Port as RawLock>::Held),
}

impl AnyLock {
    /// Opens nothing: `name` has been checked, so this cannot fail.
    pub(crate) fn new(backend: Backend, name: &str) -> Self {
        match backend {
            Backend::Port => Self::Port(port::Port::new(name)),
        }
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Self::Port(_) => Backend::Port,
        }
    }

    pub(crate) fn acquire(&self, deadline: Deadline, info: Info<'_>) -> Result<AnyHeld, Failure> {
        match self {
            Self::Port(port) => port.acquire(deadline, info).map(AnyHeld::Port),
        }
    }

    #[cfg(feature = "async")]
    pub(crate) async fn acquire_async(
        &self,
        deadline: Deadline,
        info: Info<'_>,
    ) -> Result<AnyHeld, Failure> {
        match self {
            Self::Port(port) => port.acquire_async(deadline, info).await.map(AnyHeld::Port),
        }
    }

    pub(crate) fn release(&self, held: AnyHeld) {
        match (self, held) {
            (Self::Port(port), AnyHeld::Port(held)) => port.release(held),
        }
    }

    pub(crate) fn abandon(&self, held: AnyHeld) {
        match (self, held) {
            (Self::Port(port), AnyHeld::Port(held)) => port.abandon(held),
        }
    }

    pub(crate) fn is_locked(&self) -> io::Result<bool> {
        match self {
            Self::Port(port) => port.is_locked(),
        }
    }

    pub(crate) fn holder(&self) -> io::Result<Option<Holder>> {
        match self {
            Self::Port(port) => port.holder(),
        }
    }

    pub(crate) fn last_holder(&self) -> io::Result<Option<Holder>> {
        match self {
            Self::Port(port) => port.last_holder(),
        }
    }
}

impl AnyHeld {
    pub(crate) fn recovered_from(&self) -> Option<&Holder> {
        match self {
            Self::Port(held) => port::Port::recovered_from(held),
        }
    }
}

/// How long to pause between two looks at something that nobody announces: short at first, longer
/// by and by.
#[derive(Debug)]
struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_micros(50);
    /// As often as k3portlock looks.
    const LAST: Duration = Duration::from_millis(10);

    fn new() -> Self {
        Self(Self::FIRST)
    }

    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(Self::LAST);
        pause
    }
}
