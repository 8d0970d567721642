//! Looking at a lock without taking it.
//!
//! Nobody but the kernel knows whether a port is taken, and it says so to those who bind it: `/proc/net/tcp` does
//! not have k3portlock's sockets, and to connect would leave an entry in a holder's backlog. So a look binds one
//! port at a time, each for a moment. An acquire at that moment has two others. Where two looks take two ports from
//! it, it tries again; k3portlock does the same, 10 ms later.

use std::thread;
use std::time::{Duration, Instant};

use super::ports::COUNT;
use super::taken::is_held_here;
use super::{table, Failure, Tcp};
use crate::backend::ghost::{is_lately, PATIENCE, SLICE};
use crate::backend::look::{Time, LOOKS};
use crate::holder::{Holder, KnownBy, Tenure};
use crate::record::{self, PeerState, Snapshot};
use crate::sys::diag;
use crate::sys::owners::{find_process, has_open};
use crate::sys::process::{self, effective_uid};
use crate::sys::tcp::{connected_to, Link, ADDRESS};
use crate::sys::HAS_FORK;

impl Tcp {
    pub(super) fn look_whether_locked(&self, time: Time) -> Result<bool, Failure> {
        if is_held_here(&self.name) {
            return Ok(true);
        }
        let start = Instant::now();
        let mut looks = 0;
        while self.are_taken()? {
            looks += 1;
            let may_wait = time == Time::Ample && start.elapsed() < PATIENCE && self.may_be_free();
            // Another look can have been at each port that this one has tried: so it is counted how often that seems so,
            // not for how long, as this process may be kept from running meanwhile.
            let is_doubtful = || looks < LOOKS && !self.is_listened_at([true; COUNT]);
            if !(may_wait && (is_doubtful() || self.is_haunted([true; COUNT]))) {
                return Ok(true);
            }
            thread::sleep(SLICE);
        }
        Ok(false)
    }

    pub(super) fn look_who_holds(&self, time: Time) -> Result<Option<Holder>, Failure> {
        let start = Instant::now();
        while self.look_whether_locked(time)? {
            let holder = self.find_holder(time).1;
            let may_wait = time == Time::Ample && start.elapsed() < PATIENCE;
            if !(may_wait && holder.as_ref().is_some_and(|holder| self.is_changing(holder))) {
                // Two that do not listen are in no table.
                return Ok(Some(holder.unwrap_or_else(|| Holder::process(None, KnownBy::Kernel))));
            }
            thread::sleep(SLICE);
        }
        Ok(None)
    }

    /// Whether a process that has the ports has just given the lock back, and is about to close them. Or what has them
    /// seems to be a copy, just after the release: it may be the next holder, which has yet to write its record.
    fn is_changing(&self, holder: &Holder) -> bool {
        let record = holder.uid.and_then(|uid| record::read(&self.key, uid));
        record.is_some_and(|record| {
            let let_go = |pid: u32| matches!(record.state_of(pid), PeerState::LetGo(None));
            (holder.tenure == Tenure::Copied || holder.pid.is_some_and(let_go))
                && is_lately(record.released_at())
        })
    }

    /// The sockets at the ports, and the holder, if there is one. The lock can change hands meanwhile: a holder that no
    /// record names is returned only if the sockets are the same afterwards.
    pub(super) fn find_holder(&self, time: Time) -> (table::Found, Option<Holder>) {
        let mut found = table::find(self.ports.all(), time);
        for _ in 0..LOOKS {
            let holder = self.holder_among(&found, time);
            if holder.as_ref().map_or(true, |holder| holder.grants.is_some()) {
                return (found, holder);
            }
            let before = found;
            found = table::find(self.ports.all(), time);
            if found == before {
                return (found, holder);
            }
        }
        (found, None)
    }

    /// Who holds the lock, whose ports were `found` like this: a process that listens at two of them. None if
    /// there is no such process. Where the system does not tell who listens, a record has to.
    fn holder_among(&self, found: &table::Found, time: Time) -> Option<Holder> {
        if !diag::TELLS {
            return self.recorded_holder(time);
        }
        let [one, two, three] =
            found.entries.map(|entry| entry.filter(|entry| entry.is_like_a_lock));
        let pairs = [(one, two), (one, three), (two, three)];
        let pairs = pairs.into_iter().filter_map(|(one, other)| one.zip(other));
        let holder = pairs
            .filter(|(one, other)| one.uid == other.uid)
            .find_map(|(one, other)| self.holder_of(one, other, time));
        holder.or_else(|| if found.is_told { None } else { self.recorded_holder(time) })
    }

    /// A process that runs, and has written that it holds.
    fn recorded_holder(&self, time: Time) -> Option<Holder> {
        let record = record::latest(&self.key, time.limit()).ok().flatten()?;
        let stands = record.last_holder().tenure == Tenure::Holds;
        stands.then(|| record.present_holder(KnownBy::Record))
    }

    /// Which of the ports that were `refused` another program listens at, where the system does not tell: a holder of
    /// lockattr's listens at both, and one of k3portlock's at none.
    pub(super) fn servers_port(&self, refused: [bool; COUNT]) -> Option<u16> {
        let ports = self.ports.all().into_iter().zip(refused);
        let mut answering = ports.filter(|(port, refused)| *refused && listens(*port));
        let (port, _) = answering.next()?;
        answering.next().is_none().then_some(port)
    }

    /// Whether one of the ports that were `refused` is listened at. Where the kernel is not to be asked, as in a sandbox,
    /// that shows by a connection, at the price of an entry in the backlog.
    pub(super) fn is_listened_at(&self, refused: [bool; COUNT]) -> bool {
        let is_listened_at = |port| match diag::listener_at(ADDRESS, port) {
            Ok(listener) => listener.is_some(),
            Err(_) => listens(port),
        };
        let mut ports = self.ports.all().into_iter().zip(refused);
        ports.any(|(port, refused)| refused && is_listened_at(port))
    }

    fn holder_of(&self, one: table::Entry, other: table::Entry, time: Time) -> Option<Holder> {
        let record = record::read(&self.key, one.uid);
        if let Some(record) = record.as_ref().filter(|record| record.is_kept()) {
            return Some(keeper(record));
        }
        let stands = |record: &&Snapshot| record.last_holder().tenure == Tenure::Holds;
        let named = record.as_ref().and_then(Snapshot::pid);
        match (record.as_ref().filter(stands), named) {
            (Some(record), Some(pid)) => match has_open(pid, one.inode, time.limit()) {
                Some(true) => return Some(record.present_holder(KnownBy::Proc)),
                Some(false) => {}
                // Another user's, whose descriptors cannot be seen. That user has the sockets, the kernel says.
                None => return Some(record.present_holder(KnownBy::Record)),
            },
            (Some(record), None) => return Some(record.present_holder(KnownBy::Record)),
            (None, _) => {}
        }
        let pid = find_process(one.inode, named, time.limit());
        if pid.is_some_and(|pid| has_open(pid, other.inode, time.limit()) == Some(false)) {
            return None; // two processes have one each
        }
        let holder = Holder { uid: Some(one.uid), ..Holder::process(pid, KnownBy::Proc) };
        // Read again: it may have been given back since, and kept by a copy.
        let record = record::read(&self.key, one.uid);
        let is_copy = record.is_some_and(|record| is_copy(&record, &holder));
        let tenure = if is_copy { Tenure::Copied } else { Tenure::Holds };
        Some(Holder { tenure, ..holder })
    }

    /// Whether two ports that are taken may be so for a moment only, as no record tells of a holder that lives:
    /// by looks, by others that try and will have less than two, by a lock that was just released and is still
    /// bound (a ghost). Or by a program that leaves no record.
    pub(super) fn may_be_free(&self) -> bool {
        if is_held_here(&self.name) {
            return false;
        }
        let stands =
            |record: Snapshot| record.last_holder().tenure == Tenure::Holds || record.is_kept();
        // This user's first: there may be many records.
        !record::read(&self.key, effective_uid()).is_some_and(stands)
            && !record::latest(&self.key, None).ok().flatten().is_some_and(stands)
    }

    /// Whether these may be the ports of a ghost: this user has just released the lock, and they still listen. (A
    /// socket of k3portlock does not.)
    pub(super) fn is_haunted(&self, ports: [bool; COUNT]) -> bool {
        if !HAS_FORK {
            return false;
        }
        let was_released = match record::read(&self.key, effective_uid()) {
            Some(record) => is_lately(record.released_at()),
            None => self.record.private_last_grant().is_some_and(|last| last.was_released_lately()),
        };
        was_released
            && self.ports.all().into_iter().zip(ports).any(|(port, it)| it && listens(port))
    }
}

/// Whether a process listens at a port, as far as that shows soon.
fn listens(port: u16) -> bool {
    /// How long an answer takes. On Linux it is there when `connect` returns.
    const MOMENT: Duration = if cfg!(any(target_os = "linux", target_os = "android")) {
        Duration::ZERO
    } else {
        Duration::from_millis(5)
    };
    /// Without an answer, a listener may have no room for more. But Windows asks again where it is refused, for two
    /// seconds, and does not say so before.
    const DOUBTFUL: bool = cfg!(not(windows));

    let Ok(connection) = connected_to(port) else { return false };
    let start = Instant::now();
    loop {
        match Link::of(&connection) {
            Link::Established => return true,
            Link::Ended => return false,
            Link::Pending if start.elapsed() >= MOMENT => return DOUBTFUL,
            Link::Pending => thread::sleep(SLICE),
        }
    }
}

/// Who has left the lock to a descriptor. The sockets are on their way to that one, and so are nobody's that `/proc`
/// could show.
fn keeper(record: &Snapshot) -> Holder {
    let left = record.present_holder(KnownBy::Record);
    match left.pid.filter(|pid| process::runs(*pid)) {
        // It may have executed another program.
        Some(pid) => Holder { command: process::command(pid).or(left.command), ..left },
        None => Holder { pid: None, command: None, thread: None, ..left },
    }
}

/// Whether a process that has the sockets, and is not the one that took them, is a copy of that one: a child that
/// was cloned without the C library's `fork`. It has the name of its parent.
fn is_copy(record: &Snapshot, holder: &Holder) -> bool {
    let last = record.last_holder();
    let is_another = holder.pid.map_or(true, |pid| last.pid != Some(pid));
    let name = holder.pid.and_then(process::command);
    is_another && last.tenure != Tenure::Holds && (name.is_none() || name == last.command)
}

#[cfg(all(test, unix))] // elsewhere there are no records
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::backend::RawLock as _;
    use crate::deadline::Deadline;
    use crate::info::Info;
    use crate::sys::tcp::{bound_at, ADDRESS};

    #[test]
    fn without_the_kernels_word_a_holder_is_known_by_its_record_and_a_server_by_its_answer() {
        let tcp = Tcp::new("unit-no-diag");
        let [one, two, _] = tcp.ports.all();
        let refused = [true, true, false];
        assert!(tcp.recorded_holder(Time::Ample).is_none());
        let deadline = Deadline::after(Duration::ZERO);
        let mut held = tcp.acquire(deadline, Info::Text("x")).unwrap();
        let holder = tcp.recorded_holder(Time::Ample).unwrap();
        assert_eq!((holder.pid, holder.info.as_deref()), (Some(std::process::id()), Some("x")));
        assert_eq!(tcp.servers_port(refused), None, "a holder answers at both");
        tcp.release(&mut held);
        assert!(tcp.recorded_holder(Time::Ample).is_none());
        let _server = TcpListener::bind((ADDRESS, two)).unwrap();
        let _silent = bound_at(one).unwrap();
        assert_eq!(tcp.servers_port(refused), Some(two));
        record::remove(&tcp.key);
    }
}
