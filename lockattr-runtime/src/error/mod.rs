//! What can go wrong.

mod display;
mod system;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::holder::Holder;
use crate::kind::Backend;
use crate::name::NameError;
use crate::sys::errno;

pub use system::SystemError;

/// Why a lock was not acquired, or could not be looked at.
///
/// A function under the attribute returns it as its own error: its error type needs
/// `From<LockError>`, which `std::io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>` have.
///
/// It reads like this:
///
/// ```text
/// lock "i2c-1": timed out after 2.0 s; held for 3.4 s by pid 812 (sensord) in sensord::bme280::read (src/bme280.rs:42)
/// ```
///
/// Whenever an acquire returns one of these, it has taken nothing.
///
/// ```
/// # use std::time::Duration;
/// use lockattr::{Lock, LockError};
///
/// static BUS: Lock = Lock::port("doc-lock-error");
///
/// fn scan() -> Result<(), LockError> {
///     match BUS.acquire(Duration::from_secs(1)) {
///         Ok(_guard) => println!("scans the bus"),
///         Err(LockError::Timeout { holder: Some(holder), .. }) => println!("busy: {holder}"),
///         Err(LockError::Orphaned { .. }) => println!("free it by `lockattr unget`"),
///         Err(error) => return Err(error),
///     }
///     Ok(())
/// }
/// # scan().unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockError {
    /// Another process, thread or task held the lock until the timeout ran out.
    #[non_exhaustive]
    Timeout {
        /// The lock's name.
        lock: Box<str>,
        /// How long this call waited: zero for [`try_acquire`](crate::Lock::try_acquire).
        waited: Duration,
        /// Who held it then, as far as that could be found out.
        holder: Option<Box<Holder>>,
        /// What in this very process holds it, if this process does.
        here: Option<HeldHere>,
        /// The path that a device was asked for by ([`Lock::device`](crate::Lock::device)).
        device: Option<Box<Path>>,
    },
    /// The wait was ended by [`Cancel::cancel`](crate::Cancel::cancel).
    #[non_exhaustive]
    Cancelled {
        /// The lock's name.
        lock: Box<str>,
        /// How long this call waited.
        waited: Duration,
    },
    /// The calling thread holds this very lock, or one call asks for it twice: waiting for it would never
    /// end.
    #[non_exhaustive]
    WouldDeadlock {
        /// The lock's name.
        lock: Box<str>,
        /// This thread's own hold, with the place where it was taken, as far as the record tells.
        holder: Option<Box<Holder>>,
        /// Whether the call itself names the lock twice.
        twice: bool,
    },
    /// The name breaks the backend's rules.
    #[non_exhaustive]
    InvalidName {
        /// The name as it was given.
        lock: Box<str>,
        /// The rule it breaks.
        reason: NameError,
    },
    /// The lock cannot have this mode ([`Lock::try_mode`](crate::Lock::try_mode)).
    #[non_exhaustive]
    InvalidMode {
        /// The lock's name.
        lock: Box<str>,
        /// The lock's backend. Only a semaphore has a mode.
        backend: Backend,
        /// The mode that was asked for.
        mode: u32,
    },
    /// This process uses the name under another backend already. The two would exclude nobody.
    #[non_exhaustive]
    BackendMismatch {
        /// The lock's name.
        lock: Box<str>,
        /// The backend that was asked for.
        wanted: Backend,
        /// The backend this process uses the name with.
        established: Backend,
    },
    /// The semaphore was taken until the timeout ran out, and nobody says by whom: its holder died in the
    /// very moment of taking it, or is a program that leaves neither a record nor resourcelock's text.
    /// Nobody can tell which, so nobody takes it. If no program uses the lock,
    /// [`Lock::force_release`](crate::Lock::force_release) frees it, as resourcelock's `unget` does.
    #[non_exhaustive]
    Orphaned {
        /// The lock's name.
        lock: Box<str>,
        /// How long this call waited.
        waited: Duration,
        /// Who held it before, as far as the record tells.
        last: Option<Box<Holder>>,
    },
    /// The lock is another user's, whose files this one may not use.
    #[non_exhaustive]
    Denied {
        /// The lock's name.
        lock: Box<str>,
        /// The file in question.
        path: PathBuf,
        /// The user whose it is.
        uid: u32,
        /// Its mode: who may use it (`chmod(2)`).
        mode: u32,
    },
    /// A file of the lock has another size than a semaphore: it was cut, or is something else.
    #[non_exhaustive]
    Damaged {
        /// The lock's name.
        lock: Box<str>,
        /// The file in question.
        path: PathBuf,
        /// How many bytes it has.
        bytes: u64,
    },
    /// A file of the lock belongs to another user, who is not root. The permissions let this process
    /// in, but its owner could cut the file at any time, which ends a process that uses it (SIGBUS). Such a
    /// file is used only where both sides share: its mode and this lock's own
    /// ([`Lock::mode`](crate::Lock::mode)) must both let in the group, if this process is in the
    /// file's group, or else all others.
    ///
    /// Root gets this error too, beside a user's private lock: to use that one, run as that user
    /// (`sudo -u USER`).
    #[non_exhaustive]
    Untrusted {
        /// The lock's name.
        lock: Box<str>,
        /// The file in question.
        path: PathBuf,
        /// The user whose it is.
        uid: u32,
        /// Its mode: whom its owner lets in (`chmod(2)`).
        mode: u32,
        /// This lock's own mode: whom this process lets in.
        allowed: u32,
    },
    /// The semaphore was made by a program of another word size. The two would not wake each other:
    /// a semaphore has 32 bytes in 64-bit programs and 16 in 32-bit ones, in another order.
    #[non_exhaustive]
    OtherWordSize {
        /// The lock's name.
        lock: Box<str>,
        /// The semaphore's file.
        path: PathBuf,
        /// How many bytes it has.
        bytes: u64,
    },
    /// A live process holds this name in another network namespace, where abstract sockets of the
    /// same name do not meet: the lock would exclude nobody.
    #[non_exhaustive]
    OtherNamespace {
        /// The lock's name.
        lock: Box<str>,
        /// Who holds the name there.
        holder: Box<Holder>,
    },
    /// A process holds this name under another backend: the two would not exclude each other. A process
    /// looks once, when it first takes the name, so not all such mistakes are seen: a holder that comes
    /// later, one that looks in the same moment, and files that this user may not look at are not.
    #[non_exhaustive]
    OtherBackend {
        /// The lock's name.
        lock: Box<str>,
        /// The backend that was asked for.
        wanted: Backend,
        /// The backend under which the name is held.
        other: Backend,
        /// The holder.
        holder: Box<Holder>,
    },
    /// The semaphore has been posted so often, by programs that did not hold it, that more units are left
    /// than an acquire takes out: other programs would come in beside the holder.
    #[non_exhaustive]
    Overposted {
        /// The lock's name.
        lock: Box<str>,
        /// The semaphore's file.
        path: PathBuf,
        /// How many units it has. A lock that is free has one.
        units: u32,
    },
    /// The path of a device leads to none: there is nothing, a folder, links in a circle, or something that this
    /// user may not look at.
    #[non_exhaustive]
    NoDevice {
        /// The path as text: without a device, its lock has no name.
        lock: Box<str>,
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: SystemError,
    },
    /// This process holds one of the ports of a TCP lock for another lock: the two names share ports. To wait
    /// would be to wait for this process itself.
    #[non_exhaustive]
    SharedPort {
        /// The lock's name.
        lock: Box<str>,
        /// The port that both have.
        port: u16,
        /// The name of the lock that this process holds.
        other: Box<str>,
    },
    /// Ports of a TCP lock were taken until the timeout ran out, but not by a holder of the lock: by other
    /// programs, or by holders of other locks whose names share ports with this one.
    #[non_exhaustive]
    PortTaken {
        /// The lock's name.
        lock: Box<str>,
        /// How long this call waited.
        waited: Duration,
        /// One of the ports.
        port: u16,
        /// The process that has it, as far as that could be found out. None if no process does: a connection
        /// from this port has ended less than a minute ago.
        by: Option<Box<Holder>>,
    },
    /// The operating system refused something, such as another descriptor (`EMFILE`).
    #[non_exhaustive]
    Io {
        /// The lock's name.
        lock: Box<str>,
        /// What was being done, as in "cannot …".
        operation: &'static str,
        /// What the system said.
        source: SystemError,
    },
}

/// What in this very process holds a lock.
///
/// ```
/// # use lockattr::{HeldHere, Lock, LockError};
/// static BUS: Lock = Lock::port("doc-held-here");
///
/// let guard = BUS.try_acquire()?;
/// let error = std::thread::spawn(|| BUS.try_acquire()).join().unwrap().unwrap_err();
/// let LockError::Timeout { here: Some(HeldHere::Thread { name, .. }), .. } = error else {
///     panic!("{error}")
/// };
/// println!("held by this program's own thread {name:?}");
/// # drop(guard);
/// # Ok::<_, LockError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeldHere {
    /// A thread, which the lock's record tells of ([`Holder::thread`]).
    #[non_exhaustive]
    Thread {
        /// What the thread is called, if it still runs.
        name: Option<Box<str>>,
    },
    /// A task, which acquired asynchronously. If a thread of its executor waits for the lock, the task may not
    /// be able to go on and give it back.
    Task,
}

impl LockError {
    /// The name of the lock that this is about. Of several locks, it is the one that failed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{acquire_all, Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-name-i2c");
    /// static RESET: Lock = Lock::port("doc-name-gpio");
    ///
    /// let other = std::thread::spawn(|| RESET.try_acquire()).join().unwrap()?;
    /// let error = acquire_all([&BUS, &RESET], Duration::ZERO).unwrap_err();
    /// assert_eq!(error.lock_name(), "doc-name-gpio");
    /// # drop(other);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn lock_name(&self) -> &str {
        match self {
            Self::Timeout { lock, .. }
            | Self::Cancelled { lock, .. }
            | Self::WouldDeadlock { lock, .. }
            | Self::InvalidName { lock, .. }
            | Self::InvalidMode { lock, .. }
            | Self::BackendMismatch { lock, .. }
            | Self::Orphaned { lock, .. }
            | Self::Denied { lock, .. }
            | Self::Damaged { lock, .. }
            | Self::Untrusted { lock, .. }
            | Self::OtherWordSize { lock, .. }
            | Self::OtherNamespace { lock, .. }
            | Self::OtherBackend { lock, .. }
            | Self::Overposted { lock, .. }
            | Self::NoDevice { lock, .. }
            | Self::SharedPort { lock, .. }
            | Self::PortTaken { lock, .. }
            | Self::Io { lock, .. } => lock,
        }
    }

    /// Whether the lock was held for as long as this call was willing to wait.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static LOG: Lock = Lock::port("doc-is-timeout");
    ///
    /// /// Whether it was written: not if another process is just writing.
    /// fn write_if_free() -> Result<bool, LockError> {
    ///     match LOG.try_acquire() {
    ///         Ok(_guard) => Ok(true),
    ///         Err(error) if error.is_timeout() => Ok(false),
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// # assert!(write_if_free()?);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// How long the call waited: zero if it only tried, or failed for a reason that it did not wait for.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-error-waited");
    ///
    /// let guard = BUS.try_acquire()?;
    /// let other = std::thread::spawn(|| BUS.acquire(Duration::from_millis(20)));
    /// assert!(other.join().unwrap().unwrap_err().waited() >= Duration::from_millis(20));
    ///
    /// // The thread that holds the lock is told at once.
    /// assert_eq!(BUS.acquire(Duration::from_secs(9)).unwrap_err().waited(), Duration::ZERO);
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn waited(&self) -> Duration {
        match self {
            Self::Timeout { waited, .. }
            | Self::Cancelled { waited, .. }
            | Self::Orphaned { waited, .. }
            | Self::PortTaken { waited, .. } => *waited,
            _ => Duration::ZERO,
        }
    }

    /// Who held the lock, as far as that could be found out, and if this error is about a holder:
    /// [`Timeout`](Self::Timeout), [`WouldDeadlock`](Self::WouldDeadlock),
    /// [`OtherNamespace`](Self::OtherNamespace) and [`OtherBackend`](Self::OtherBackend).
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-error-holder");
    ///
    /// let guard = BUS.with().info("scans the bus").acquire()?;
    /// let error = std::thread::spawn(|| BUS.try_acquire()).join().unwrap().unwrap_err();
    /// let holder = error.holder().expect("it is this process");
    /// assert_eq!(holder.pid, Some(std::process::id()));
    /// assert_eq!(holder.info.as_deref(), Some("scans the bus"));
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        match self {
            Self::Timeout { holder, .. } | Self::WouldDeadlock { holder, .. } => holder.as_deref(),
            Self::OtherNamespace { holder, .. } | Self::OtherBackend { holder, .. } => Some(holder),
            _ => None,
        }
    }

    /// The lock error in an [`io::Error`] that was made of one, as `?` does in a function that returns
    /// [`io::Result`]. To have it by value, use `LockError::try_from`.
    ///
    /// ```
    /// use std::io;
    /// use lockattr::{Lock, LockError};
    ///
    /// fn write() -> io::Result<()> {
    ///     static FLASH: Lock = Lock::port("doc-from-io");
    ///     let _guard = FLASH.try_acquire()?;
    ///     # let _other = std::thread::spawn(|| FLASH.try_acquire()).join().unwrap()?;
    ///     Ok(())
    /// }
    ///
    /// let error = write().unwrap_err();
    /// if let Some(busy) = LockError::from_io(&error).filter(|error| error.is_timeout()) {
    ///     println!("{} is busy; held by {:?}", busy.lock_name(), busy.holder());
    /// }
    /// # assert_eq!(LockError::try_from(error).unwrap().lock_name(), "doc-from-io");
    /// ```
    #[must_use]
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The same, of a device that was asked for by `path`.
    pub(crate) fn at_path(mut self, path: &Path) -> Self {
        if let Self::Timeout { device, .. } = &mut self {
            *device = Some(path.into());
        }
        self
    }

    fn io_kind(&self) -> io::ErrorKind {
        match self {
            // Of one that only tried.
            Self::Timeout { waited: Duration::ZERO, .. } => io::ErrorKind::WouldBlock,
            Self::Timeout { .. } | Self::Orphaned { .. } => io::ErrorKind::TimedOut,
            Self::Denied { .. } | Self::Untrusted { .. } => io::ErrorKind::PermissionDenied,
            Self::Damaged { .. } | Self::OtherWordSize { .. } | Self::Overposted { .. } => {
                io::ErrorKind::InvalidData
            }
            Self::InvalidName { .. }
            | Self::InvalidMode { .. }
            | Self::BackendMismatch { .. }
            | Self::OtherBackend { .. } => io::ErrorKind::InvalidInput,
            Self::NoDevice { source, .. } | Self::Io { source, .. } => source.kind(),
            // `io::ErrorKind::Deadlock`, whose name is younger (1.83) than this crate's MSRV.
            Self::WouldDeadlock { .. } => io::Error::from_raw_os_error(errno::EDEADLK).kind(),
            Self::SharedPort { .. } | Self::PortTaken { .. } => io::ErrorKind::AddrInUse,
            // A cancellation is not `Interrupted`: std's own loops would try again.
            Self::OtherNamespace { .. } | Self::Cancelled { .. } => io::ErrorKind::Other,
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The message ends with the system's own words, so a chain would say them twice.
            Self::NoDevice { source, .. } | Self::Io { source, .. } => source.source(),
            Self::InvalidName { reason, .. } => reason.source(),
            _ => None,
        }
    }
}

/// [`LockError::from_io`] finds the error again. Its kind is
///
/// - `TimedOut` for [`Timeout`](LockError::Timeout) and [`Orphaned`](LockError::Orphaned), and `WouldBlock` for a
///   `Timeout` of a lock that was only tried (a timeout of zero),
/// - `Deadlock` for [`WouldDeadlock`](LockError::WouldDeadlock),
/// - `InvalidInput` for a name, mode or backend that does not fit,
/// - `PermissionDenied` for [`Denied`](LockError::Denied) and [`Untrusted`](LockError::Untrusted),
/// - `InvalidData` for [`Damaged`](LockError::Damaged), [`OtherWordSize`](LockError::OtherWordSize) and
///   [`Overposted`](LockError::Overposted),
/// - `AddrInUse` for [`SharedPort`](LockError::SharedPort) and [`PortTaken`](LockError::PortTaken),
/// - the system's own kind for [`Io`](LockError::Io) and [`NoDevice`](LockError::NoDevice),
/// - `Other` for [`OtherNamespace`](LockError::OtherNamespace) and [`Cancelled`](LockError::Cancelled).
impl From<LockError> for io::Error {
    fn from(error: LockError) -> Self {
        Self::new(error.io_kind(), error)
    }
}

/// The way back.
///
/// # Errors
/// The same error, if it was made of no [`LockError`].
impl TryFrom<io::Error> for LockError {
    type Error = io::Error;

    fn try_from(error: io::Error) -> Result<Self, io::Error> {
        match Self::from_io(&error) {
            // By `clone`: to take it out (`io::Error::downcast`) needs a younger Rust than this crate does.
            Some(found) => Ok(found.clone()),
            None => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_try_would_block_and_a_timeout_timed_out() {
        let busy = |waited| {
            io::Error::from(LockError::Timeout {
                lock: "bus".into(),
                waited,
                holder: None,
                here: None,
                device: None,
            })
        };
        assert_eq!(busy(Duration::ZERO).kind(), io::ErrorKind::WouldBlock);
        assert_eq!(busy(Duration::from_millis(1)).kind(), io::ErrorKind::TimedOut);
        let deadlock = LockError::WouldDeadlock { lock: "bus".into(), holder: None, twice: false };
        let kind = io::Error::from(deadlock).kind();
        assert_eq!(kind, io::Error::from_raw_os_error(errno::EDEADLK).kind());
        assert_ne!(kind, io::ErrorKind::Other);
    }
}
