//! What an acquire that failed says: who holds the lock, or what else has its ports.

use std::thread;
use std::time::Duration;

use super::ports::COUNT;
use super::race::bind;
use super::{table, Failure, Tcp};
use crate::backend::look::Time;
use crate::deadline::Deadline;
use crate::holder::{Holder, KnownBy, Tenure};
use crate::record;
use crate::sys::diag;
use crate::sys::owners::find_process;
use crate::sys::process::effective_uid;

/// What is blamed stands for so long. While a lock goes from one process to the next, there are moments at which one of
/// its ports listens alone, or is kept by what is left of a connection.
const MOMENT: Duration = Duration::from_millis(2);

impl Tcp {
    /// Why the lock was not to be had: these ports were `refused` last.
    pub(super) fn blame(&self, refused: [bool; COUNT], deadline: Deadline<'_>) -> Failure {
        let time = Time::after(deadline);
        // A program that only tries may do so in a loop, and the kernel's table may be long.
        if let Time::Brief(_) = time {
            let record = record::read(&self.key, effective_uid());
            let holder = record.map(|record| record.last_holder());
            if let Some(holder) = holder.filter(|holder| holder.tenure == Tenure::Holds) {
                return Failure::Busy(Some(holder));
            }
        }
        let (found, holder) = self.find_holder(time);
        if let Some(holder) = holder {
            return Failure::Busy(Some(holder));
        }
        if !diag::TELLS {
            if let Some(port) = self.servers_port(refused) {
                let by = Some(Holder::process(None, KnownBy::Kernel));
                return Failure::PortTaken { port, by };
            }
        }
        let known = refused.iter().zip(found.entries).filter(|(refused, _)| **refused);
        match known.filter_map(|(_, entry)| entry).min_by_key(|entry| entry.inode == 0) {
            Some(entry) if self.silent(&found.entries) < 2 => {
                let by = Some(entry).filter(|it| it.inode != 0).map(|it| user_of(it, time));
                thread::sleep(MOMENT);
                if !self.stands(entry, time) || !self.are_taken().unwrap_or(true) {
                    return Failure::Busy(None);
                }
                if entry.is_like_a_lock && self.is_between(&found.entries, entry, by.as_ref()) {
                    return Failure::Busy(by);
                }
                Failure::PortTaken { port: entry.port, by }
            }
            _ if !self.are_taken().unwrap_or(true) => Failure::Busy(None), // free by now
            _ => Failure::Busy(Some(Holder::process(None, KnownBy::Kernel))),
        }
    }

    /// Whether a process that listens at one port is a holder that is stopped on its way in, with another port at which
    /// it has yet to listen, or on its way out, with another one closed.
    fn is_between(
        &self,
        found: &[Option<table::Entry>; COUNT],
        entry: table::Entry,
        process: Option<&Holder>,
    ) -> bool {
        let last = || record::read(&self.key, entry.uid)?.pid();
        self.silent(found) == 1
            || process.and_then(|it| it.pid).is_some_and(|pid| last() == Some(pid))
    }

    /// Whether `entry` is in the table still. A listener is found without a look at connections.
    fn stands(&self, entry: table::Entry, time: Time) -> bool {
        let time = time.limit().filter(|_| entry.is_like_a_lock).map_or(time, Time::Brief);
        table::find(self.ports.all(), time).entries.contains(&Some(entry))
    }

    /// How many ports are taken by what is in no table, as k3portlock's are.
    fn silent(&self, found: &[Option<table::Entry>; COUNT]) -> usize {
        let others = self.ports.all().into_iter().zip(found).filter(|(_, entry)| entry.is_none());
        others.filter(|(port, _)| matches!(bind(*port), Ok(None))).count()
    }
}

/// The process that has a socket, as far as that can be found out.
fn user_of(entry: table::Entry, time: Time) -> Holder {
    let pid = find_process(entry.inode, None, time.limit());
    Holder { uid: Some(entry.uid), ..Holder::process(pid, KnownBy::Proc) }
}
