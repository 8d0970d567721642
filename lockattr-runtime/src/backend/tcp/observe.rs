//! Looking at a lock without taking it.
//!
//! Nobody but the kernel knows whether a port is taken, and it says so to those who bind it: `/proc/net/tcp` does
//! not have k3portlock's sockets, and to connect would leave an entry in a holder's backlog. So a look binds one
//! port at a time, each for a moment. An acquire at that moment has two others. Where two looks take two ports from
//! it, it tries again; k3portlock does the same, 10 ms later.

use std::thread;
use std::time::Instant;

use super::ports::COUNT;
use super::taken::is_held_here;
use super::{table, Failure, Tcp};
use crate::backend::ghost::{PATIENCE, SLICE};
use crate::backend::look::{process_with, Time};
use crate::holder::{Holder, KnownBy, Tenure};
use crate::record::{self, Snapshot};
use crate::sys::owners::{find_process, has_open};
use crate::sys::process;
use crate::sys::tcp::{connected_to, Link};

impl Tcp {
    pub(super) fn look_whether_locked(&self, time: Time) -> Result<bool, Failure> {
        if is_held_here(&self.name) {
            return Ok(true);
        }
        let start = Instant::now();
        while self.are_taken()? {
            let may_wait = time == Time::Ample && start.elapsed() < PATIENCE;
            if !(may_wait && self.may_be_free() && self.is_haunted([true; COUNT])) {
                return Ok(true);
            }
            thread::sleep(SLICE);
        }
        Ok(false)
    }

    pub(super) fn look_who_holds(&self, time: Time) -> Result<Option<Holder>, Failure> {
        let is_locked = self.look_whether_locked(time)?;
        Ok(is_locked.then(|| self.describe(&table::find(self.ports.all(), time.end()), time)))
    }

    /// Who holds the lock, which is taken, and whose ports were `found` like this.
    pub(super) fn describe(&self, found: &[Option<table::Entry>; COUNT], time: Time) -> Holder {
        let Some((entry, other)) = pair(found) else {
            // Two that do not listen: in no table.
            return process_with(None, KnownBy::Kernel);
        };
        let record = record::read(&self.key, entry.uid);
        let named = record.as_ref().and_then(Snapshot::pid);
        if let (Some(record), Some(pid)) = (&record, named) {
            let has_it = has_open(pid, entry.inode, time.end());
            if !record.has_ended() && has_it == Some(true) {
                return record.present_holder(KnownBy::Proc);
            }
            // Another user's, whose descriptors cannot be seen: whose the socket is, the kernel says.
            if has_it.is_none() && record.last_holder().tenure == Tenure::Holds {
                return record.present_holder(KnownBy::Record);
            }
        } else if let Some(record) =
            record.as_ref().filter(|it| it.last_holder().tenure == Tenure::Holds)
        {
            return record.present_holder(KnownBy::Record); // of another pid namespace
        }
        let pid = find_process(entry.inode, named, time.end());
        let pid = pid.or_else(|| find_process(other.inode, named, time.end()));
        let holder = Holder { uid: Some(entry.uid), ..process_with(pid, KnownBy::Proc) };
        match record {
            Some(record) if is_copy(&record, &holder) => {
                Holder { tenure: Tenure::Copied, ..holder }
            }
            _ => holder,
        }
    }

    /// Whether two ports that are taken may be so for a moment only, as no record tells of a holder that lives:
    /// by looks, by others that try and will have less than two, by a lock that was just released and is still
    /// bound (a ghost). Or by a program that leaves no record.
    pub(super) fn may_be_free(&self) -> bool {
        if is_held_here(&self.name) {
            return false;
        }
        let latest = record::latest(&self.key, None).ok().flatten();
        latest.map_or(true, |record| record.last_holder().tenure != Tenure::Holds)
    }

    /// Whether these may be the ports of a ghost: this user has just released the lock, and they still listen. (A
    /// socket of k3portlock does not.)
    pub(super) fn is_haunted(&self, ports: [bool; COUNT]) -> bool {
        let listens = |port: u16| {
            connected_to(port).is_ok_and(|connection| Link::of(&connection) != Link::Ended)
        };
        self.record.page().last_grant().was_released_lately()
            && self.ports.all().into_iter().zip(ports).any(|(port, it)| it && listens(port))
    }
}

/// Two listeners of one user, as a holder has them.
pub(super) fn pair(found: &[Option<table::Entry>; COUNT]) -> Option<(table::Entry, table::Entry)> {
    let mut locks = found.iter().flatten().filter(|entry| entry.is_like_a_lock);
    let all: Vec<_> = locks.by_ref().collect();
    all.iter().enumerate().find_map(|(index, one)| {
        let other = all[index + 1..].iter().find(|other| other.uid == one.uid)?;
        Some((**one, **other))
    })
}

/// Whether a process that has the sockets, and is not the one that took them, is a copy of that one: a child that
/// was cloned without the C library's `fork`. It has the name of its parent.
fn is_copy(record: &Snapshot, holder: &Holder) -> bool {
    let last = record.last_holder();
    let is_another = holder.pid.map_or(true, |pid| last.pid != Some(pid));
    let name = holder.pid.and_then(process::command);
    is_another && last.tenure != Tenure::Holds && (name.is_none() || name == last.command)
}
