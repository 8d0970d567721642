//! How an error reads.

use std::fmt;
use std::time::Duration;

use super::{HeldHere, LockError};
use crate::holder::{Holder, KnownBy, Tenure};
use crate::kind::Backend;
use crate::sys::SEMAPHORE_BYTES;
use crate::text::{Escaped, Seconds, Short};

/// A holder, and what in this very process it is.
struct InProcess<'a>(&'a Holder, Option<&'a HeldHere>);

impl fmt::Display for InProcess<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(holder, Some(here)) = self else { return self.0.fmt(f) };
        f.write_str("held")?;
        if let Some(held_for) = holder.held_for {
            write!(f, " for {}", Seconds(held_for))?;
        }
        match here {
            HeldHere::Task => f.write_str(" by a task of this very process")?,
            HeldHere::Thread { name } => {
                f.write_str(" by this very process (thread")?;
                if let Some(name) = name {
                    write!(f, " \"{}\",", Escaped(name))?;
                }
                match holder.thread {
                    Some(thread) => write!(f, " {thread})")?,
                    None => f.write_str(" unknown)")?,
                }
            }
        }
        match &holder.info {
            Some(info) => write!(f, " in {}", Short(info)),
            None => Ok(()),
        }
    }
}

/// Who has the lock, as far as that is known, behind what has become of the wait.
fn fmt_who(
    f: &mut fmt::Formatter<'_>,
    holder: Option<&Holder>,
    here: Option<&HeldHere>,
) -> fmt::Result {
    match (holder, here) {
        (Some(holder), here) => write!(f, "; {}", InProcess(holder, here)),
        (None, Some(HeldHere::Task)) => f.write_str("; held by a task of this very process"),
        (None, Some(HeldHere::Thread { .. })) => {
            f.write_str("; held by another thread of this very process")
        }
        (None, None) => Ok(()),
    }
}

/// As [`Display`](fmt::Display), so that `fn main() -> Result<(), LockError>` says what a person can read.
/// The alternate form (`{:#?}`) has the fields.
impl fmt::Debug for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            self.fmt_fields(f)
        } else {
            fmt::Display::fmt(self, f)
        }
    }
}

impl LockError {
    /// Which lock this is about.
    fn fmt_lock(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lock \"{}\"", Escaped(self.lock_name()))?;
        if let Self::Timeout { device: Some(path), .. } = self {
            write!(f, " ({})", Escaped(&path.to_string_lossy()))?;
        }
        f.write_str(": ")
    }

    fn fmt_fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The fields of each variant but `lock`, which all have.
        macro_rules! fields {
            ($($variant:ident { $($field:ident),* };)*) => {
                match self {
                    $(Self::$variant { lock, $($field),* } => f
                        .debug_struct(stringify!($variant))
                        .field("lock", lock)
                        $(.field(stringify!($field), $field))*
                        .finish(),)*
                }
            };
        }
        fields! {
            Timeout { waited, holder, here, device };
            Cancelled { waited };
            WouldDeadlock { holder, twice };
            InvalidName { reason };
            InvalidMode { backend, mode };
            BackendMismatch { wanted, established };
            OtherBackend { wanted, other, holder };
            Orphaned { waited, last };
            Denied { path, uid, mode };
            Damaged { path, bytes };
            Untrusted { path, uid, mode, allowed };
            OtherWordSize { path, bytes };
            OtherNamespace { holder };
            Overposted { path, units };
            NoDevice { path, source };
            SharedPort { port, other };
            PortTaken { waited, port, by };
            Io { operation, source };
        }
    }
}

impl fmt::Display for LockError {
    #[allow(clippy::too_many_lines)] // a sentence for each
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_lock(f)?;
        match self {
            Self::Timeout { waited, holder, here, .. } => {
                if waited.is_zero() {
                    f.write_str("taken")?;
                } else {
                    write!(f, "timed out after {}", Seconds(*waited))?;
                }
                fmt_who(f, holder.as_deref(), here.as_ref())
            }
            Self::Cancelled { waited, .. } if waited.is_zero() => {
                f.write_str("cancelled before it was waited for")
            }
            Self::Cancelled { waited, .. } => write!(f, "cancelled after {}", Seconds(*waited)),
            Self::WouldDeadlock { twice: true, .. } => {
                f.write_str("asked for twice in one call, which would wait for itself")
            }
            Self::WouldDeadlock { holder, .. } => {
                f.write_str("this thread holds it already")?;
                if let Some(info) = holder.as_ref().and_then(|holder| holder.info.as_deref()) {
                    write!(f, ", in {}", Short(info))?;
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
            Self::OtherBackend { wanted, other, holder, .. } => write!(
                f,
                "{holder}, under the {other} backend; asked for with the {wanted} backend: the two would \
                 not exclude each other",
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
            Self::NoDevice { source, .. } => write!(f, "cannot tell which device this is: {source}"),
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
