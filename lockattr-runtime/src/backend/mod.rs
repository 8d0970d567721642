//! The ways to exclude other processes: a trait, and one module for each.
//!
//! A new backend is a module that implements [`RawLock`], a variant of [`Backend`] with its limits
//! in [`name`](crate::name), and an arm in each `match` of [`AnyLock`].

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod absent;
mod beside;
mod ghost;
mod look;
mod past;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod port;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod queue;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod semaphore;
mod tcp;

#[cfg(feature = "async")]
use std::future::Future;
use std::io;
use std::path::PathBuf;

use crate::deadline::Deadline;
use crate::holder::Holder;
use crate::info::Info;
use crate::kind::{Backend, Kind};
use crate::standing::Standing;
use crate::sys::socket::Owned;
use crate::sys::thread::Thread;

// Abstract addresses are Linux's.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use absent::Absent as Port;
// The layout of a semaphore is glibc's: musl keeps its waiters in the sign of the value, which glibc takes for
// 2 billions of units.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
use absent::Absent as Semaphore;
#[cfg(any(target_os = "linux", target_os = "android"))]
use port::Port;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use semaphore::Semaphore;
use tcp::Tcp;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use port::remembered::free_port_locks;
pub use tcp::remembered::remembered_tcp_locks;

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
///   [`last_holder`](Self::last_holder)) creates nothing, and takes nothing that an acquire would fail for.
pub(crate) trait RawLock: Send + Sync + Sized {
    /// What a holder has in hand. One of [`release`](Self::release), [`abandon`](Self::abandon) and
    /// [`detach`](Self::detach) of the lock that it came from ends the hold, and then it is dropped. To drop it
    /// before may leave the lock taken. (They get it by reference, as it costs to move it about.)
    type Held: Send;

    /// Takes the lock at `now`, the present time, if it is there to be taken at once by little work. None says
    /// nothing: [`acquire`](Self::acquire) tries all that can be tried.
    #[inline]
    fn acquire_at_once(&self, now: u64, info: Info<'_>, thread: Thread) -> Option<Self::Held> {
        let _ = (now, info, thread);
        None
    }

    /// Takes the lock, waiting until `deadline` at most, and writes `info` into its record. A
    /// deadline of no wait at all makes this try once.
    fn acquire(&self, deadline: Deadline<'_>, info: Info<'_>) -> Result<Self::Held, Box<Failure>>;

    /// As [`acquire`](Self::acquire), without blocking the thread. Dropping the future leaves the
    /// queue, and passes on what had just come.
    #[cfg(feature = "async")]
    fn acquire_async(
        &self,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> impl Future<Output = Result<Self::Held, Box<Failure>>> + Send;

    /// Gives the lock back. Must not fail: where the fair way is barred, the lock becomes free.
    fn release(&self, held: &mut Self::Held);

    /// Gives the lock back as if its holder had died: the next holder's
    /// [`recovered_from`](Self::recovered_from) tells.
    fn abandon(&self, held: &mut Self::Held);

    /// Whether [`detach`](Self::detach) does what it says.
    fn check_detach(&self) -> Result<(), Failure>;

    /// Leaves the lock taken, whatever becomes of this process, until it is released by force.
    /// Where that cannot be, gives it back.
    fn detach(&self, held: &mut Self::Held);

    /// When it was granted, in nanoseconds of the monotonic clock.
    fn granted(held: &Self::Held) -> u64;

    /// A copy of the descriptor that the lock is held by, for [`keep`](Self::keep).
    fn descriptor(held: &Self::Held) -> Result<Owned, Failure>;

    /// Leaves the lock to the copies of its descriptor: it is taken until the last of them is closed.
    fn keep(&self, held: &mut Self::Held);

    /// Removes the lock's files, and gives it back in a way that nobody takes what was removed.
    fn remove(&self, held: &mut Self::Held);

    /// The holder before, if it died while it held.
    fn recovered_from(held: &Self::Held) -> Option<&Holder>;

    /// Who holds the lock, and how that is known: the one judgement that all other looks agree with.
    fn standing(&self) -> Result<Standing, Failure> {
        Ok(match self.holder()? {
            Some(holder) => Standing::held(holder),
            None => Standing::free(self.last_holder()?),
        })
    }

    /// Shows others another text. The caller holds the lock; `held` is none if another guard of its thread has
    /// that in hand. Several guards may do this at once: one after the other, they write under the gate, so that
    /// no forked child finds a text half written either.
    fn set_info(&self, held: Option<&Self::Held>, info: Info<'_>) -> Result<(), Failure>;

    /// Whether others will hear of it if this holder dies.
    fn check_record(&self, held: &Self::Held) -> Result<(), Failure>;

    /// What the record tells of the present hold of this process itself.
    fn own_hold(&self) -> Option<Holder>;

    /// Whether anybody holds the lock.
    fn is_locked(&self) -> Result<bool, Failure>;

    /// Who holds the lock.
    fn holder(&self) -> Result<Option<Holder>, Failure>;

    /// Who took the lock last, whether it holds still or not.
    fn last_holder(&self) -> Result<Option<Holder>, Failure>;

    /// Releases the lock, also of another process; whether it was taken at all, or had been left by a dead
    /// holder. Makes no two holders of this backend.
    fn force_release(&self) -> Result<bool, Failure>;
}

/// Why a backend did not acquire. The lock's name is added further up.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Others held it until the deadline.
    Busy(Option<Holder>),
    /// It is taken, and nobody says by whom; who held it last.
    Orphaned(Option<Holder>),
    /// Another user's file, which this one may not use.
    Denied { path: PathBuf, uid: u32, mode: u32 },
    /// A file that has not the bytes of what it should hold.
    Damaged { path: PathBuf, bytes: u64 },
    /// Another user's file, whose owner this lock's `allowed` mode does not let in.
    Untrusted { path: PathBuf, uid: u32, mode: u32, allowed: u32 },
    /// A semaphore that programs of another word size have made.
    OtherWordSize { path: PathBuf, bytes: u64 },
    /// A process holds the name where this backend does not reach.
    OtherNamespace(Holder),
    /// A process holds the name under the `other` backend.
    OtherBackend { wanted: Backend, other: Backend, holder: Box<Holder> },
    /// A semaphore of so many units that it excludes nobody.
    Overposted { path: PathBuf, units: u32 },
    /// This process holds one of the lock's ports for another lock.
    SharedPort { port: u16, other: Box<str> },
    /// One of the lock's ports is taken by something that is no holder of it; by whom, if that is known.
    PortTaken { port: u16, by: Option<Holder> },
    /// The system refused `operation`, as in "cannot …".
    Io { operation: &'static str, source: io::Error },
}

impl Failure {
    /// For `map_err`: what could not be done, and why.
    fn io(operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { operation, source }
    }

    /// What this backend's locks are not made for.
    fn unsupported(operation: &'static str, reason: &'static str) -> Self {
        Self::io(operation)(io::Error::new(io::ErrorKind::Unsupported, reason))
    }
}

/// A lock of any backend.
#[derive(Debug)]
pub(crate) enum AnyLock {
    Port(Port),
    Semaphore(Semaphore),
    Tcp(Tcp),
}

/// What the holder of an [`AnyLock`] has in hand.
#[derive(Debug)]
pub(crate) enum AnyHeld {
    Port(<Port as RawLock>::Held),
    Semaphore(<Semaphore as RawLock>::Held),
    Tcp(<Tcp as RawLock>::Held),
}

impl AnyLock {
    /// Opens nothing: `name` has been checked, so this cannot fail.
    pub(crate) fn new(kind: Kind, name: &str) -> Self {
        match kind.backend {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Backend::Port => Self::Port(Port::new(name)),
            #[cfg(all(target_os = "linux", target_env = "gnu"))]
            Backend::Semaphore => Self::Semaphore(Semaphore::new(name, kind.mode)),
            Backend::Tcp => Self::Tcp(Tcp::new(name)),
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            Backend::Port => unreachable!("a `Kind` has TCP instead"),
            #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
            Backend::Semaphore => unreachable!("there is no `Kind` of it"),
        }
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Self::Port(_) => Backend::Port,
            Self::Semaphore(_) => Backend::Semaphore,
            Self::Tcp(_) => Backend::Tcp,
        }
    }

    /// See [`RawLock::acquire_at_once`].
    #[inline]
    pub(crate) fn acquire_at_once(
        &self,
        now: u64,
        info: Info<'_>,
        thread: Thread,
    ) -> Option<AnyHeld> {
        match self {
            Self::Semaphore(lock) => {
                lock.acquire_at_once(now, info, thread).map(AnyHeld::Semaphore)
            }
            Self::Port(_) | Self::Tcp(_) => None, // that takes system calls
        }
    }

    pub(crate) fn acquire(
        &self,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> Result<AnyHeld, Box<Failure>> {
        match self {
            Self::Port(lock) => lock.acquire(deadline, info).map(AnyHeld::Port),
            Self::Semaphore(lock) => lock.acquire(deadline, info).map(AnyHeld::Semaphore),
            Self::Tcp(lock) => lock.acquire(deadline, info).map(AnyHeld::Tcp),
        }
    }

    #[cfg(feature = "async")]
    pub(crate) async fn acquire_async(
        &self,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> Result<AnyHeld, Box<Failure>> {
        match self {
            Self::Port(lock) => lock.acquire_async(deadline, info).await.map(AnyHeld::Port),
            Self::Semaphore(lock) => {
                lock.acquire_async(deadline, info).await.map(AnyHeld::Semaphore)
            }
            Self::Tcp(lock) => lock.acquire_async(deadline, info).await.map(AnyHeld::Tcp),
        }
    }

    #[allow(clippy::inline_always)] // one more backend, and the compiler leaves it to a call: 2 % of a pair
    #[inline(always)]
    pub(crate) fn release(&self, held: &mut AnyHeld) {
        match (self, held) {
            (Self::Port(lock), AnyHeld::Port(held)) => lock.release(held),
            (Self::Semaphore(lock), AnyHeld::Semaphore(held)) => lock.release(held),
            (Self::Tcp(lock), AnyHeld::Tcp(held)) => lock.release(held),
            _ => {} // never: what a lock gave comes back to it
        }
    }

    pub(crate) fn abandon(&self, held: &mut AnyHeld) {
        match (self, held) {
            (Self::Port(lock), AnyHeld::Port(held)) => lock.abandon(held),
            (Self::Semaphore(lock), AnyHeld::Semaphore(held)) => lock.abandon(held),
            (Self::Tcp(lock), AnyHeld::Tcp(held)) => lock.abandon(held),
            _ => {} // as above
        }
    }

    pub(crate) fn check_detach(&self) -> Result<(), Failure> {
        match self {
            Self::Port(lock) => lock.check_detach(),
            Self::Semaphore(lock) => lock.check_detach(),
            Self::Tcp(lock) => lock.check_detach(),
        }
    }

    pub(crate) fn detach(&self, held: &mut AnyHeld) {
        match (self, held) {
            (Self::Port(lock), AnyHeld::Port(held)) => lock.detach(held),
            (Self::Semaphore(lock), AnyHeld::Semaphore(held)) => lock.detach(held),
            (Self::Tcp(lock), AnyHeld::Tcp(held)) => lock.detach(held),
            _ => {} // as above
        }
    }

    pub(crate) fn keep(&self, held: &mut AnyHeld) {
        match (self, held) {
            (Self::Port(lock), AnyHeld::Port(held)) => lock.keep(held),
            (Self::Semaphore(lock), AnyHeld::Semaphore(held)) => lock.keep(held),
            (Self::Tcp(lock), AnyHeld::Tcp(held)) => lock.keep(held),
            _ => {} // as above
        }
    }

    pub(crate) fn remove(&self, held: &mut AnyHeld) {
        match (self, held) {
            (Self::Port(lock), AnyHeld::Port(held)) => lock.remove(held),
            (Self::Semaphore(lock), AnyHeld::Semaphore(held)) => lock.remove(held),
            (Self::Tcp(lock), AnyHeld::Tcp(held)) => lock.remove(held),
            _ => {} // as above
        }
    }

    pub(crate) fn check_record(&self, held: &AnyHeld) -> Result<(), Failure> {
        match (self, held) {
            (Self::Port(lock), AnyHeld::Port(held)) => lock.check_record(held),
            (Self::Semaphore(lock), AnyHeld::Semaphore(held)) => lock.check_record(held),
            (Self::Tcp(lock), AnyHeld::Tcp(held)) => lock.check_record(held),
            _ => Ok(()), // as above
        }
    }

    pub(crate) fn set_info(&self, held: Option<&AnyHeld>, info: Info<'_>) -> Result<(), Failure> {
        match (self, held) {
            (Self::Port(lock), Some(AnyHeld::Port(held))) => lock.set_info(Some(held), info),
            (Self::Port(lock), _) => lock.set_info(None, info),
            (Self::Semaphore(lock), Some(AnyHeld::Semaphore(held))) => {
                lock.set_info(Some(held), info)
            }
            (Self::Semaphore(lock), _) => lock.set_info(None, info),
            (Self::Tcp(lock), Some(AnyHeld::Tcp(held))) => lock.set_info(Some(held), info),
            (Self::Tcp(lock), _) => lock.set_info(None, info),
        }
    }

    pub(crate) fn own_hold(&self) -> Option<Holder> {
        match self {
            Self::Port(lock) => lock.own_hold(),
            Self::Semaphore(lock) => lock.own_hold(),
            Self::Tcp(lock) => lock.own_hold(),
        }
    }

    pub(crate) fn is_locked(&self) -> Result<bool, Failure> {
        match self {
            Self::Port(lock) => lock.is_locked(),
            Self::Semaphore(lock) => lock.is_locked(),
            Self::Tcp(lock) => lock.is_locked(),
        }
    }

    pub(crate) fn holder(&self) -> Result<Option<Holder>, Failure> {
        match self {
            Self::Port(lock) => lock.holder(),
            Self::Semaphore(lock) => lock.holder(),
            Self::Tcp(lock) => lock.holder(),
        }
    }

    pub(crate) fn last_holder(&self) -> Result<Option<Holder>, Failure> {
        match self {
            Self::Port(lock) => lock.last_holder(),
            Self::Semaphore(lock) => lock.last_holder(),
            Self::Tcp(lock) => lock.last_holder(),
        }
    }

    pub(crate) fn standing(&self) -> Result<Standing, Failure> {
        match self {
            Self::Port(lock) => lock.standing(),
            Self::Semaphore(lock) => lock.standing(),
            Self::Tcp(lock) => lock.standing(),
        }
    }

    pub(crate) fn force_release(&self) -> Result<bool, Failure> {
        match self {
            Self::Port(lock) => lock.force_release(),
            Self::Semaphore(lock) => lock.force_release(),
            Self::Tcp(lock) => lock.force_release(),
        }
    }
}

impl AnyHeld {
    pub(crate) fn granted(&self) -> u64 {
        match self {
            Self::Port(held) => Port::granted(held),
            Self::Semaphore(held) => Semaphore::granted(held),
            Self::Tcp(held) => Tcp::granted(held),
        }
    }

    pub(crate) fn descriptor(&self) -> Result<Owned, Failure> {
        match self {
            Self::Port(held) => Port::descriptor(held),
            Self::Semaphore(held) => Semaphore::descriptor(held),
            Self::Tcp(held) => Tcp::descriptor(held),
        }
    }

    pub(crate) fn recovered_from(&self) -> Option<&Holder> {
        match self {
            Self::Port(held) => Port::recovered_from(held),
            Self::Semaphore(held) => Semaphore::recovered_from(held),
            Self::Tcp(held) => Tcp::recovered_from(held),
        }
    }
}
