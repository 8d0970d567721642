//! What can go wrong, and how it reads.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use nix::libc;

use crate::holder::{Holder, KnownBy, Tenure};
use crate::kind::Backend;
use crate::name::NameError;
use crate::sys::semaphore::SEMAPHORE_BYTES;
use crate::text::{Escaped, Seconds};

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
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody else held the lock until the timeout ran out.
    #[non_exhaustive]
    Timeout {
        /// The lock's name.
        lock: Box<str>,
        /// How long this call waited: zero for [`try_acquire`](crate::Lock::try_acquire).
        waited: Duration,
        /// Who held it then, as far as that could be found out.
        holder: Option<Box<Holder>>,
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
    /// The operating system refused something.
    #[non_exhaustive]
    Io {
        /// The lock's name.
        lock: Box<str>,
        /// What was being done, as in "cannot …".
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl LockError {
    /// The name of the lock this is about.
    #[must_use]
    pub fn lock(&self) -> &str {
        match self {
            Self::Timeout { lock, .. }
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
            | Self::Overposted { lock, .. }
            | Self::SharedPort { lock, .. }
            | Self::PortTaken { lock, .. }
            | Self::Io { lock, .. } => lock,
        }
    }

    /// Whether somebody else held the lock for as long as this call was willing to wait.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
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
            Self::InvalidName { .. } | Self::InvalidMode { .. } | Self::BackendMismatch { .. } => {
                io::ErrorKind::InvalidInput
            }
            Self::Io { source, .. } => source.kind(),
            // `io::ErrorKind::Deadlock`, whose name is younger (1.83) than this crate's MSRV.
            Self::WouldDeadlock { .. } => io::Error::from_raw_os_error(libc::EDEADLK).kind(),
            Self::SharedPort { .. } | Self::PortTaken { .. } => io::ErrorKind::AddrInUse,
            Self::OtherNamespace { .. } => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for LockError {
    #[allow(clippy::too_many_lines)] // a sentence for each
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lock \"{}\": ", Escaped(self.lock()))?;
        match self {
            Self::Timeout { waited, holder, .. } => {
                if waited.is_zero() {
                    f.write_str("taken")?;
                } else {
                    write!(f, "timed out after {}", Seconds(*waited))?;
                }
                match holder {
                    Some(holder) => write!(f, "; {holder}"),
                    None => Ok(()),
                }
            }
            Self::WouldDeadlock { twice: true, .. } => {
                f.write_str("asked for twice in one call, which would wait for itself")
            }
            Self::WouldDeadlock { holder, .. } => {
                f.write_str("this thread holds it already")?;
                if let Some(info) = holder.as_ref().and_then(|holder| holder.info.as_deref()) {
                    write!(f, ", in {}", Escaped(info))?;
                }
                f.write_str(" and would wait for itself; drop that guard first, or take it reentrantly")
            }
            Self::InvalidName { reason, .. } => reason.fmt(f),
            Self::InvalidMode { backend: Backend::Semaphore, mode, .. } => write!(
                f,
                "cannot have mode {mode:04o}: a semaphore's is 0600, with 0060 for its group, and 0006 for \
                 all others"
            ),
            Self::InvalidMode { backend, .. } => {
                write!(f, "a {backend} lock has no mode, as every user can use it; only a semaphore has one")
            }
            Self::BackendMismatch { wanted, established, .. } => write!(
                f,
                "asked for with the {wanted} backend, but this process uses it with the \
                 {established} backend: the two would not exclude each other",
            ),
            Self::Orphaned { waited, last, .. } => {
                if !waited.is_zero() {
                    write!(f, "timed out after {}; ", Seconds(*waited))?;
                }
                let nobody = Holder::unknown(Tenure::Holds, KnownBy::Nothing);
                write!(
                    f,
                    "{nobody}: its holder died in the moment of taking it, or leaves no text; if no \
                     program uses it, `lockattr unget --force` frees it",
                )?;
                match last {
                    Some(last) => write!(f, " (before that, {last})"),
                    None => Ok(()),
                }
            }
            Self::Denied { path, uid, mode, .. } => write!(
                f,
                "{} belongs to user {uid} and has mode {mode:04o}, so this user may not use it; run \
                 as that user, or let others in: `chmod 660` (or 666) it and its companion, and give the \
                 lock that mode on both sides",
                Escaped(&path.to_string_lossy())
            ),
            Self::Damaged { path, bytes, .. } => write!(
                f,
                "{} has {bytes} bytes and holds no semaphore, which has {SEMAPHORE_BYTES}; remove it \
                 when no program uses the lock",
                Escaped(&path.to_string_lossy())
            ),
            Self::Untrusted { path, uid, mode, allowed, .. } => write!(
                f,
                "{} belongs to user {uid}, who could cut it while this process uses it: it has mode \
                 {mode:04o} and this lock {allowed:04o}, which do not both share it; run as that user, \
                 or share the lock on both sides: `chmod 660` (a group of both) or 666 it and its \
                 companion, and give this lock the same mode",
                Escaped(&path.to_string_lossy())
            ),
            Self::OtherWordSize { path, bytes, .. } => write!(
                f,
                "{} has {bytes} bytes, so it was made by a program of another word size: a semaphore \
                 has {SEMAPHORE_BYTES} here, and the two would not wake each other; let all who share \
                 the lock be 64-bit programs, or all 32-bit ones, and remove it when none uses it",
                Escaped(&path.to_string_lossy())
            ),
            Self::OtherNamespace { holder, .. } => write!(
                f,
                "{holder}, in another network namespace, where this lock does not reach; \
                 share the network namespace (systemd: PrivateNetwork=no, containers: the host's network)",
            ),
            Self::Overposted { path, units, .. } => write!(
                f,
                "{} has {units} units, where a free lock has one: some program posts it without holding \
                 it; stop that program, and remove the file when no program uses the lock",
                Escaped(&path.to_string_lossy())
            ),
            Self::SharedPort { port, other, .. } => write!(
                f,
                "this process holds its port {port} for the lock \"{}\": the two names share ports, so no \
                 process can hold both; change one of the names",
                Escaped(other)
            ),
            Self::PortTaken { waited, port, by, .. } => {
                fmt_port_taken(f, *waited, *port, by.as_deref())
            }
            Self::Io { operation, source, .. } => write!(f, "cannot {operation}: {source}"),
        }
    }
}

fn fmt_port_taken(
    f: &mut fmt::Formatter<'_>,
    waited: Duration,
    port: u16,
    by: Option<&Holder>,
) -> fmt::Result {
    if !waited.is_zero() {
        write!(f, "timed out after {}; ", Seconds(waited))?;
    }
    write!(f, "port {port}, one of the three of which it needs two, is ")?;
    match by {
        Some(by) => write!(f, "{by}")?,
        None => f.write_str("kept by the kernel for a minute after a connection")?,
    }
    f.write_str(", which is no holder of this lock")
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The message ends with the system's own words, so a chain would say them twice.
            Self::Io { source, .. } => source.source(),
            Self::InvalidName { reason, .. } => reason.source(),
            _ => None,
        }
    }
}

/// `TimedOut` for a timeout, `WouldBlock` where the lock was only tried (a timeout of zero), `Deadlock` for
/// [`LockError::WouldDeadlock`], `InvalidInput` for a bad name or backend, the system's own kind for
/// [`LockError::Io`]. The [`LockError`] stays reachable by [`io::Error::get_ref`].
impl From<LockError> for io::Error {
    fn from(error: LockError) -> Self {
        Self::new(error.io_kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_try_would_block_and_a_timeout_timed_out() {
        let busy = |waited| {
            io::Error::from(LockError::Timeout { lock: "bus".into(), waited, holder: None })
        };
        assert_eq!(busy(Duration::ZERO).kind(), io::ErrorKind::WouldBlock);
        assert_eq!(busy(Duration::from_millis(1)).kind(), io::ErrorKind::TimedOut);
        let deadlock = LockError::WouldDeadlock { lock: "bus".into(), holder: None, twice: false };
        let kind = io::Error::from(deadlock).kind();
        assert_eq!(kind, io::Error::from_raw_os_error(libc::EDEADLK).kind());
        assert_ne!(kind, io::ErrorKind::Other);
    }
}
