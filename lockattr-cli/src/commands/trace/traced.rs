//! One lock that is traced: what a look finds beside the look before.

use std::collections::HashMap;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::thread;
use std::time::Duration;

use lockattr_runtime::{Backend, Holder, KnownBy, Lock, LockError, Standing, Tenure};
use lockattr_survey::Status;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::exit::Stop;

/// What has happened to a lock.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) what: What,
    /// How it is now.
    pub(super) status: Status,
}

#[derive(Debug)]
pub(super) enum What {
    Held,
    Free,
    Taken,
    Released,
    Died,
    /// From this holder to the present one.
    Passed(Box<Holder>),
    /// So many holds came and went.
    Missed(u64),
}

impl What {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Free => "free",
            Self::Taken => "taken",
            Self::Released => "released",
            Self::Died => "died",
            Self::Passed(_) => "passed",
            Self::Missed(_) => "missed",
        }
    }
}

/// A lock, and how it was found last.
pub(super) struct Traced {
    lock: Lock,
    seen: Option<Holder>,
    /// How often it had been granted by then, by the record of each user; of a semaphore there is one record.
    grants: HashMap<Option<u32>, u64>,
    /// How many holds were shown that their record had yet to count.
    ahead: u64,
    is_first_look: bool,
    /// A connection to the holder of a port lock. It ends when the lock is given back: to one that comes
    /// without an address the holder gives nothing.
    connection: Option<Socket>,
}

impl Traced {
    /// Its first look tells whether it is held or free.
    pub(super) fn new(lock: Lock) -> Self {
        let (grants, connection) = (HashMap::new(), None);
        Self { lock, seen: None, grants, ahead: 0, is_first_look: true, connection }
    }

    /// One that was not there before: its first look tells that it is taken.
    pub(super) fn new_one(lock: Lock) -> Self {
        Self { is_first_look: false, ..Self::new(lock) }
    }

    pub(super) fn is(&self, backend: Backend, name: &str) -> bool {
        self.lock.backend() == backend && self.lock.name() == name
    }

    /// What becomes readable when a port lock is given back.
    pub(super) fn end(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(Socket::as_fd)
    }

    /// What has changed since the last look.
    pub(super) fn look(&mut self) -> Result<Vec<Event>, Stop> {
        if self.connection.as_ref().is_some_and(has_ended) {
            self.connection = None;
        }
        if self.connection.is_none() && self.lock.backend() == Backend::Port {
            self.connection = connect(self.lock.name()).ok();
        }
        let standing = self.settled()?;
        let last = standing.clone().into_last_holder();
        let now = standing.clone().into_holder();
        let before = self.seen.take();
        let what = match (&before, &now) {
            _ if self.is_first_look => Some(if now.is_some() { What::Held } else { What::Free }),
            (None, Some(_)) => Some(What::Taken),
            (Some(_), None) if has_died(&standing) => Some(What::Died),
            (Some(_), None) => Some(What::Released),
            (Some(before), Some(now)) if !is_one_hold(before, now) => {
                Some(What::Passed(Box::new(before.clone())))
            }
            _ => None,
        };
        let granted = last.as_ref().map_or(0, |last| self.new_grants(last));
        let is_seen = now.is_some() && what.is_some();
        let shown = u64::from(is_seen) + self.ahead;
        let missed = if self.is_first_look { 0 } else { granted.saturating_sub(shown) };
        let is_unwritten = now.as_ref().is_some_and(is_unwritten);
        self.ahead = if is_unwritten { shown.saturating_sub(granted) } else { 0 };
        self.is_first_look = false;
        self.seen = now;
        let missed = (missed > 0).then_some(What::Missed(missed));
        let status = Status::found(&self.lock, standing);
        // What was missed came before what is seen now.
        let happened = missed.into_iter().chain(what);
        Ok(happened.map(|what| Event { what, status: status.clone() }).collect())
    }

    /// How the lock stands. A holder that has yet to write its record, as in the moment after it came, is
    /// given some milliseconds for it.
    fn settled(&self) -> Result<Standing, LockError> {
        const LOOKS: u32 = 5;
        const MOMENT: Duration = Duration::from_millis(2);

        // It was given them when it was seen first. (One that had a record then has come anew.)
        let seen = self.seen.as_ref().filter(|seen| is_unwritten(seen));
        let is_known = |holder: &Holder| seen.is_some_and(|seen| seen.pid == holder.pid);
        let mut standing = self.lock.standing()?;
        for _ in 1..LOOKS {
            let holder = standing.clone().into_holder();
            if !holder.is_some_and(|holder| is_unwritten(&holder) && !is_known(&holder)) {
                break;
            }
            thread::sleep(MOMENT);
            standing = self.lock.standing()?;
        }
        Ok(standing)
    }

    /// How often the lock has been granted since the last look, as far as the record of `last` tells.
    fn new_grants(&mut self, last: &Holder) -> u64 {
        let Some(grants) = last.grants.map(NonZeroU64::get) else { return 0 };
        let record = last.uid.filter(|_| self.lock.backend() != Backend::Semaphore);
        let before = self.grants.insert(record, grants);
        // A record that was removed begins anew.
        before.map_or(0, |before| grants.saturating_sub(before))
    }
}

/// Whether no record tells of this hold, or not yet. A port's holder that has bound and does not listen yet is
/// known by `/proc` alone, as those of k3portlock are.
fn is_unwritten(holder: &Holder) -> bool {
    holder.since.is_none()
        && matches!(holder.known_by, KnownBy::Kernel | KnownBy::Proc | KnownBy::Record)
}

fn is_one_hold(one: &Holder, other: &Holder) -> bool {
    if is_unwritten(one) && one.pid == other.pid {
        return true;
    }
    let key = |holder: &Holder| (holder.pid, holder.since, holder.info.clone());
    key(one) == key(other)
}

/// Whether the last holder of a lock that is free now died.
fn has_died(standing: &Standing) -> bool {
    let last = standing.clone().into_last_holder();
    matches!(standing, Standing::Left { .. }) || last.is_some_and(|it| it.tenure == Tenure::Died)
}

/// Without blocking: the holder's queue may be full, and then `-u` has to do.
fn connect(name: &str) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.connect(&SockAddr::unix(format!("\0/portlock/{name}"))?)?;
    Ok(socket)
}

/// Whether the other end has gone. (It never sends anything.)
fn has_ended(connection: &Socket) -> bool {
    let mut one = [PollFd::new(connection.as_fd(), PollFlags::POLLIN)];
    poll(&mut one, PollTimeout::ZERO) != Ok(0)
}
