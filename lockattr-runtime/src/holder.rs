//! Who holds a lock, or held it last.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::text::{Escaped, Seconds};

/// The process that holds a lock, or held it last.
///
/// What the kernel says comes first; the rest is what the holder wrote into the lock's record. A
/// record is written by programs: treat its text as you would any text from another process. The
/// [`Display`](fmt::Display) form escapes it.
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
    /// Whether it holds the lock still.
    pub tenure: Tenure,
    /// Where the process id comes from.
    pub known_by: KnownBy,
}

impl Holder {
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
            tenure,
            known_by,
        }
    }
}

/// Whether a [`Holder`] holds still, and how it ended if not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tenure {
    /// It holds the lock.
    Holds,
    /// It left the lock taken on purpose ([`LockGuard::detach`](crate::LockGuard::detach)), until
    /// somebody releases it by force. The process itself may have ended.
    Detached,
    /// It gave the lock back.
    Released,
    /// It ended without giving the lock back: it was killed, or it crashed, while holding.
    Died,
}

/// Where a [`Holder`]'s process id comes from.
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
    /// Nothing: a semaphore is taken, and neither a record nor a text says by whom.
    Nothing,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.known_by == KnownBy::Nothing {
            return f.write_str("taken, and nobody says by whom");
        }
        f.write_str(match self.tenure {
            Tenure::Holds | Tenure::Detached | Tenure::Released => "held",
            Tenure::Died => "left taken",
        })?;
        if let Some(held_for) = self.held_for {
            write!(f, " for {}", Seconds(held_for))?;
        }
        match (self.pid, self.known_by) {
            (Some(pid), _) => write!(f, " by pid {pid}")?,
            (None, KnownBy::Text) => f.write_str(" by a program that leaves no pid")?,
            (None, _) => f.write_str(" by a process that cannot be seen from here")?,
        }
        if let Some(command) = &self.command {
            write!(f, " ({})", Escaped(command))?;
        }
        match &self.info {
            Some(info) if self.known_by == KnownBy::Text => write!(f, ": {}", Escaped(info)),
            Some(info) => write!(f, " in {}", Escaped(info)),
            None => Ok(()),
        }
    }
}
