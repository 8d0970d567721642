//! Who holds a lock, or held it last.

use std::fmt;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime};

use crate::sys::{process, procfs};
use crate::text::{Escaped, Seconds, Short, Utc};

/// The process that holds a lock, or held it last.
///
/// What the kernel says comes first; the rest is what the holder wrote into the lock's record. A
/// record is written by programs: treat its text as you would any text from another process. The
/// [`Display`](fmt::Display) form escapes it.
///
/// ```
/// # use lockattr::{Lock, LockError, Tenure};
/// static BUS: Lock = Lock::port("doc-holder");
///
/// let guard = BUS.with().info("scans the bus").acquire()?;
/// let holder = BUS.holder()?.expect("it is this process");
/// assert_eq!(holder.pid, Some(std::process::id()));
/// assert_eq!(holder.tenure, Tenure::Holds);
/// println!("{holder}"); // held for 0.00 s by pid 812 (sensord) in scans the bus
/// println!("{holder:#}"); // in several lines, with the thread, the user and the time
/// # drop(guard);
/// # Ok::<_, LockError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its process id as seen from this process; none if it lives in a pid namespace that this
    /// process cannot see, or could not be found.
    pub pid: Option<u32>,
    /// The user it runs as.
    pub uid: Option<u32>,
    /// The name of its command, at most 15 bytes (`/proc/PID/comm`).
    pub command: Option<String>,
    /// Where it took the lock: the call site, or the text it gave.
    pub info: Option<String>,
    /// The kernel's id of the thread that took the lock.
    pub thread: Option<u32>,
    /// When it took the lock, by the wall clock.
    pub since: Option<SystemTime>,
    /// For how long it has held the lock, or did hold it, by the monotonic clock. (Where a semaphore
    /// was given back, to a tick of the kernel's clock, 4 ms mostly; where only a text tells since when,
    /// by the wall clock.)
    pub held_for: Option<Duration>,
    /// Whether it is stopped, as by Ctrl-Z, `SIGSTOP` or a debugger. Looked up only where the lock is on its
    /// way to it ([`Tenure::OnItsWay`]).
    pub stopped: bool,
    /// How many times the lock had been granted by this record, this time included: of a port lock to
    /// processes of this user, of a semaphore to any process of lockattr. Two looks tell by it how many
    /// holds were missed between them. It starts anew where the record was removed.
    pub grants: Option<NonZeroU64>,
    /// Whether it holds the lock still.
    pub tenure: Tenure,
    /// Where the process id comes from.
    pub known_by: KnownBy,
}

impl Holder {
    /// `what` and the process, as far as it is known.
    fn fmt_process(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "{what} pid {pid}")?,
            None => write!(f, "{what} a process that cannot be seen from here")?,
        }
        match (&self.command, self.stopped) {
            (Some(command), true) => write!(f, " ({}, stopped)", Escaped(command)),
            (Some(command), false) => write!(f, " ({})", Escaped(command)),
            (None, true) => f.write_str(" (stopped)"),
            (None, false) => Ok(()),
        }
    }

    /// A holder of which only the process is known, and nothing if that is none.
    pub(crate) fn process(pid: Option<u32>, known_by: KnownBy) -> Self {
        Self {
            pid,
            uid: pid.and_then(procfs::uid),
            command: pid.and_then(process::command),
            ..Self::unknown(Tenure::Holds, known_by)
        }
    }

    /// A holder of which nothing is known but this.
    pub(crate) fn unknown(tenure: Tenure, known_by: KnownBy) -> Self {
        Self {
            pid: None,
            uid: None,
            command: None,
            info: None,
            thread: None,
            since: None,
            held_for: None,
            stopped: false,
            grants: None,
            tenure,
            known_by,
        }
    }
}

/// Whether a [`Holder`] holds still, and how it ended if not.
///
/// ```
/// # use lockattr::{Lock, LockError, Tenure};
/// static BUS: Lock = Lock::port("doc-tenure");
///
/// # drop(BUS.try_acquire()?);
/// match BUS.last_holder()?.map(|holder| holder.tenure) {
///     Some(Tenure::Holds) => println!("in use"),
///     Some(Tenure::Died | Tenure::Abandoned) => println!("free, and not in order"),
///     Some(Tenure::Released) | None => println!("free"),
///     Some(other) => println!("{other:?}"),
/// }
/// # Ok::<_, LockError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tenure {
    /// It holds the lock.
    Holds,
    /// It left the lock taken on purpose ([`LockGuard::detach`](crate::LockGuard::detach)), until
    /// it is released by force. The process itself may have ended.
    Detached,
    /// It gave the lock back.
    Released,
    /// It ended without giving the lock back: it was killed, or it crashed, while holding.
    Died,
    /// It gave the lock back without having brought things in order: by
    /// [`LockGuard::abandon`](crate::LockGuard::abandon), or because a panic left the body where
    /// [`LockGuard::abandon_on_panic`](crate::LockGuard::abandon_on_panic) or `on_recover` asks for it.
    Abandoned,
    /// The holder before gave a port lock to this process, which has not taken it up: it is stopped, or
    /// its future is not polled. Once taken up after the end of its time, the lock is passed on.
    OnItsWay,
    /// It left a port lock to a descriptor ([`LockGuard::into_descriptor`](crate::LockGuard::into_descriptor)):
    /// the lock is held until the last process that has a copy of it ends or closes it.
    Kept,
    /// The holder before gave a port lock back, or died, but a copy of its socket keeps the lock taken.
    /// This is the process that has the copy, if it was found: a child that was cloned without the C
    /// library's `fork` and did not `exec`, for instance.
    Copied,
}

impl Tenure {
    /// Whether the next holder has something to bring in order.
    pub(crate) fn is_out_of_order(self) -> bool {
        matches!(self, Self::Died | Self::Abandoned)
    }
}

/// Where a [`Holder`]'s process id comes from.
///
/// ```
/// # use lockattr::{KnownBy, Lock, LockError};
/// static BUS: Lock = Lock::port("doc-known-by");
///
/// let guard = BUS.try_acquire()?;
/// let holder = BUS.holder()?.expect("it is this process");
/// // Not by a record, which any program can have written.
/// assert_eq!(holder.known_by, KnownBy::Kernel);
/// # drop(guard);
/// # Ok::<_, LockError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownBy {
    /// The kernel, asked over the lock's own socket (`SO_PEERCRED`, unix(7)).
    Kernel,
    /// `/proc`: the process has the lock's socket open. So a holder is found that is no lockattr.
    Proc,
    /// The lock's record alone.
    Record,
    /// A text alone, as resourcelock's programs leave: which process it is, nobody says.
    Text,
    /// `/proc/locks`: the process has a `flock(2)` on a device, and need not know of lockattr
    /// ([`Lock::device`](crate::Lock::device)).
    Flock,
    /// A lock file of UUCP's for a device, as minicom makes it.
    LockFile,
    /// Nothing: a semaphore is taken, and neither a record nor a text says by whom.
    Nothing,
}

/// One line, as in errors, in which a long text is cut. The alternate form (`{:#}`) has a line more for each thing
/// that the first one does not say.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_line(f)?;
        if f.alternate() {
            self.fmt_rest(f)?;
        }
        Ok(())
    }
}

impl Holder {
    fn fmt_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.known_by == KnownBy::Nothing {
            return f.write_str("taken, and nobody says by whom");
        }
        match self.tenure {
            Tenure::OnItsWay => return self.fmt_process(f, "on its way to"),
            Tenure::Copied if self.pid.is_none() => {
                return f.write_str("kept taken by a copy in another process")
            }
            Tenure::Copied => {
                return self.fmt_process(f, "kept taken by a copy in another process,")
            }
            _ => {}
        }
        f.write_str(match self.tenure {
            Tenure::Died => "left taken",
            Tenure::Abandoned => "abandoned",
            _ => "held",
        })?;
        if let Some(held_for) = self.held_for {
            write!(f, " for {}", Seconds(held_for))?;
        }
        match (self.pid, self.known_by) {
            (Some(pid), _) => write!(f, " by pid {pid}")?,
            (None, KnownBy::Text | KnownBy::LockFile) => {
                f.write_str(" by a program that leaves no pid")?;
            }
            (None, _) if self.tenure == Tenure::Kept => {
                f.write_str(" by the processes that have inherited it")?;
            }
            (None, _) => f.write_str(" by a process that cannot be seen from here")?,
        }
        if let Some(command) = &self.command {
            write!(f, " ({})", Escaped(command))?;
        }
        match &self.info {
            Some(info) if self.known_by == KnownBy::Text => write!(f, ": {}", Short(info)),
            Some(info) if matches!(self.known_by, KnownBy::Flock | KnownBy::LockFile) => {
                write!(f, ", which has {}", Short(info))
            }
            Some(info) => write!(f, " in {}", Short(info)),
            None => Ok(()),
        }
    }

    fn fmt_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(thread) = self.thread {
            write!(f, "\n  thread: {thread}")?;
        }
        if let Some(info) = self.info.as_deref().filter(|info| Short(info).is_cut()) {
            write!(f, "\n  text: {}", Escaped(info))?;
        }
        if let Some(uid) = self.uid {
            write!(f, "\n  user: {uid}")?;
        }
        if let Some(since) = self.since {
            write!(f, "\n  since: {}", Utc(since))?;
        }
        let known_by = match self.known_by {
            KnownBy::Kernel => "the kernel, asked over the lock's socket",
            KnownBy::Proc => "/proc: it has the lock's socket open",
            KnownBy::Record => "the lock's record",
            KnownBy::Text => "the text that it left",
            KnownBy::Flock => "/proc/locks: it has a flock on the device",
            KnownBy::LockFile => "its lock file",
            KnownBy::Nothing => "nothing",
        };
        write!(f, "\n  known by: {known_by}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_one_line_and_in_its_long_form_several() {
        let holder = Holder {
            pid: Some(812),
            uid: Some(1000),
            command: Some("sensord".to_owned()),
            info: Some("sensord::bme280::read (src/bme280.rs:42)".to_owned()),
            thread: Some(815),
            since: Some(SystemTime::UNIX_EPOCH),
            held_for: Some(Duration::from_millis(3_400)),
            ..Holder::unknown(Tenure::Holds, KnownBy::Kernel)
        };
        let line =
            "held for 3.4 s by pid 812 (sensord) in sensord::bme280::read (src/bme280.rs:42)";
        assert_eq!(holder.to_string(), line);
        let rest =
            "thread: 815\n  user: 1000\n  since: 1970-01-01T00:00:00Z\n  known by: the kernel";
        assert!(format!("{holder:#}").starts_with(&format!("{line}\n  {rest}")), "{holder:#}");
    }

    #[test]
    fn a_long_text_is_cut_in_the_line_and_whole_in_the_long_form() {
        let text = "é".repeat(241);
        let holder =
            Holder { info: Some(text.clone()), ..Holder::unknown(Tenure::Holds, KnownBy::Kernel) };
        assert!(holder.to_string().ends_with(&format!(" in {}…", &text[..480])), "{holder}");
        assert!(format!("{holder:#}").contains(&format!("\n  text: {text}\n")), "{holder:#}");
    }
}
