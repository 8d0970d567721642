//! Looking at a lock without taking it.
//!
//! Over a connection from a socket without an address the kernel tells who listens, and the holder
//! hands such a connection nothing. A holder that does not listen (k3portlock) is found in
//! `/proc/net/unix`.

use std::io;
use std::time::Instant;

use super::table::{self, Entry};
use super::Port;
use crate::backend::ghost::PATIENCE;
use crate::backend::look::{Time, LOOKS};
use crate::backend::queue::{connect, Connected};
use crate::holder::{Holder, KnownBy, Tenure};
use crate::record::{self, PeerState, Snapshot};
use crate::sys::limit::Limit;
use crate::sys::owners::find_process;
use crate::sys::poll;
use crate::sys::process;
use crate::sys::procfs;
use crate::sys::socket::{peer, ForkSocket, Peer};

/// A connection to a holder. It ends when the holder gives the lock back or dies.
#[derive(Debug)]
pub(super) struct Observer {
    connection: ForkSocket,
    peer: Peer,
}

/// What is at a lock's address.
enum Seen {
    Nobody,
    /// With the record of its user, as it was while that one listened.
    Listener(Peer, Option<Snapshot>, Noted),
    /// A listener whose queue is full: the kernel does not say who.
    FullQueue,
    /// A socket that is bound to the address and does not listen.
    Silent(Entry),
}

/// What a note that the lock was sent on is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noted {
    /// It may be on its way still, if there is a note.
    Fresh,
    /// It is of the time before: the receiver or one of its user has had the lock since, and its record says so by this
    /// grant; or the receiver has gone (0).
    Past(u64),
}

impl Port {
    pub(super) fn look_whether_locked(&self) -> io::Result<bool> {
        // A kept connection that has not ended tells without another look, whichever process holds by now.
        let kept = self.observer.try_lock();
        if kept.is_ok_and(|kept| kept.as_ref().is_some_and(Observer::is_connected)) {
            return Ok(true);
        }
        Ok(!matches!(self.look(Time::Ample)?, Seen::Nobody))
    }

    /// The holder, as far as it is found until then.
    pub(in crate::backend) fn holder_until(&self, end: Instant) -> Option<Holder> {
        self.look_who_holds(Time::Brief(Limit::at(end))).ok().flatten()
    }

    pub(super) fn look_who_holds(&self, time: Time) -> io::Result<Option<Holder>> {
        Ok(match self.look(time)? {
            Seen::Nobody => None,
            Seen::Listener(peer, record, noted) => Some(self.describe(peer, record, noted, time)),
            Seen::Silent(entry) => {
                let pid = find_process(entry.inode, None, time.limit());
                Some(Holder::process(pid, KnownBy::Proc))
            }
            Seen::FullQueue => {
                let record = record::latest(&self.name, time.limit())?;
                let holder = record.map(|record| record.last_holder());
                let holder = holder.filter(|holder| holder.tenure == Tenure::Holds);
                Some(holder.unwrap_or_else(|| Holder::process(None, KnownBy::Kernel)))
            }
        })
    }

    /// The process that the kernel names, with what its record says; or the one that has the lock by now,
    /// if that one has let go of it.
    fn describe(&self, peer: Peer, record: Option<Snapshot>, noted: Noted, time: Time) -> Holder {
        let Some(pid) = peer.pid else {
            return Holder { uid: Some(peer.uid), ..Holder::process(None, KnownBy::Kernel) };
        };
        let state = record.as_ref().map_or(PeerState::Unknown, |record| record.state_of(pid));
        let waits = |to: u32| to != std::process::id() || !self.queue.is_waited_in_by_none();
        let named =
            || Holder { uid: Some(peer.uid), ..Holder::process(Some(pid), KnownBy::Kernel) };
        match (state, record) {
            // It has it again, and has yet to write so: the note is of the time before.
            (PeerState::LetGo(Some(_)), _) if matches!(noted, Noted::Past(1..)) => named(),
            // Also where the giver has ended since.
            (PeerState::LetGo(Some(to)), _) if waits(to) && process::runs(to) => self.receiver(to),
            // Kept by a descriptor, wherever the process has gone that left it there.
            (PeerState::Holds, Some(record)) if record.is_kept() => self.keeper(pid, &record, time),
            // The dead hold nothing: a copy does.
            _ if !process::runs(pid) => self.copy(pid, time),
            // Noted, and not sent, or not any more: this process has just left the queue.
            (PeerState::LetGo(Some(to)), _) if !waits(to) => named(),
            (PeerState::Holds, Some(record)) => record.present_holder(KnownBy::Kernel),
            (PeerState::LetGo(_), _) => self.copy(pid, time),
            _ => named(),
        }
    }

    /// The process that was sent the lock. If it is another user's, its own record tells when it has come.
    fn receiver(&self, pid: u32) -> Holder {
        if let Some(record) = self.grant_of(pid) {
            return record.present_holder(KnownBy::Record);
        }
        let stopped = process::is_stopped(pid);
        Holder { tenure: Tenure::OnItsWay, stopped, ..Holder::process(Some(pid), KnownBy::Record) }
    }

    /// What the note of `giver` is worth, the record of the user of the process `pid`, which the kernel names.
    fn noted(&self, pid: u32, giver: &Snapshot) -> Noted {
        let PeerState::LetGo(Some(to)) = giver.state_of(pid) else { return Noted::Fresh };
        // A giver without a grant does not say when it let go.
        let gave_back = giver.pid() == Some(pid);
        match procfs::uid(to).map(|uid| record::read_any(&self.name, uid)) {
            Some(Some(record)) if gave_back && record.follows(giver) => Noted::Past(record.grant()),
            None if !process::runs(to) => Noted::Past(0),
            _ => Noted::Fresh,
        }
    }

    /// A process that has the descriptor: the one that left the lock to it, or else one that has inherited it.
    fn keeper(&self, pid: u32, record: &Snapshot, time: Time) -> Holder {
        let left = record.present_holder(KnownBy::Kernel);
        if process::runs(pid) {
            // It may have executed another program.
            return Holder { command: process::command(pid).or(left.command), ..left };
        }
        let found = self.search(None, time);
        Holder {
            info: left.info,
            since: left.since,
            held_for: left.held_for,
            grants: left.grants,
            tenure: Tenure::Kept,
            ..Holder::process(found, KnownBy::Proc)
        }
    }

    /// A process that has the lock's socket open, if there is time to search. `first` and its children are looked at first.
    fn search(&self, first: Option<u32>, time: Time) -> Option<u32> {
        if let Time::Brief(_) = time {
            return None;
        }
        let entry = table::find(&self.name, time.limit()).ok().flatten()?;
        find_process(entry.inode, first, time.limit())
    }

    fn grant_of(&self, pid: u32) -> Option<Snapshot> {
        self.record_of(pid).filter(|record| record.state_of(pid) == PeerState::Holds)
    }

    /// The record of the user that the process `pid` runs as.
    fn record_of(&self, pid: u32) -> Option<Snapshot> {
        record::read(&self.name, procfs::uid(pid)?)
    }

    /// Who keeps the lock bound that the process `last` has let go of. That is `last` itself for the moment
    /// before its `close`, or between its `listen` and its grant.
    fn copy(&self, last: u32, time: Time) -> Holder {
        let found = self.search(Some(last), time);
        match found {
            Some(pid) if pid == last => Holder::process(found, KnownBy::Proc),
            Some(_) => Holder { tenure: Tenure::Copied, ..Holder::process(found, KnownBy::Proc) },
            None => Holder::unknown(Tenure::Copied, KnownBy::Kernel),
        }
    }

    fn look(&self, time: Time) -> io::Result<Seen> {
        let start = Instant::now();
        let gone_by = if time == Time::Ample { start + PATIENCE } else { start };
        // Not to be waited for: in a forked child it may be locked for ever, by a thread that was
        // not copied. Then the look is made without it.
        let mut kept = self.observer.try_lock().ok();
        if let Some(kept) = &mut kept {
            if let Some(observer) = kept.take() {
                if let Some(record) = self.current_record(&observer, time) {
                    let peer = kept.insert(observer).peer;
                    return Ok(Seen::Listener(peer, Some(record), Noted::Fresh));
                }
            }
        }
        let (mut looks, mut others, mut noted) = (0, None, Noted::Fresh);
        loop {
            let connection = ForkSocket::new()?;
            match connect(&connection, self.queue.address()) {
                Connected::Yes => {}
                Connected::QueueFull => return Ok(Seen::FullQueue),
                Connected::Refused => {
                    let entry = table::find(&self.name, time.limit())?;
                    looks += 1;
                    // Taken meanwhile.
                    if looks < LOOKS && entry.is_some_and(|entry| entry.listens) {
                        continue;
                    }
                    return Ok(entry.map_or(Seen::Nobody, Seen::Silent));
                }
                Connected::Failed(error) => return Err(error),
            }
            let peer = peer(&connection)?;
            let record = record::read_any(&self.name, peer.uid);
            // What the kernel says of a connection does not change any more: after a wait, anew.
            if self.waited_for_ghost(&connection, peer, record.as_ref(), gone_by) {
                continue;
            }
            looks += 1;
            // Given back meanwhile; or handed on, where the record is that of the next, who listened before it wrote
            // it. One that finds the same record once more has found a holder that has yet to write its own. And so
            // has one that finds once more that the receiver of a note has had the lock since.
            let others_before = others.take();
            others = record.as_ref().and_then(|record| record.grant_of_another_than(peer.pid?));
            let noted_before = noted;
            let told = record.as_ref().zip(peer.pid);
            noted = told.map_or(Noted::Fresh, |(record, pid)| self.noted(pid, record));
            let is_stale = others.is_some() && others != others_before
                || noted != Noted::Fresh && noted != noted_before;
            if looks < LOOKS && (is_stale || poll::is_readable(&connection)) {
                continue;
            }
            if let Some(kept) = &mut kept {
                **kept = Some(Observer { connection, peer });
            }
            return Ok(Seen::Listener(peer, record, noted));
        }
    }

    /// The record of the holder that `observer` is connected to, if that is still the one. The connection ends with
    /// its tenure, unless it was handed on behind a waiter: then the record is another one's, or tells whom
    /// it is on its way to, until that one has written its own, or has handed it on again, or has gone.
    fn current_record(&self, observer: &Observer, time: Time) -> Option<Snapshot> {
        let record = record::read_any(&self.name, observer.peer.uid)?;
        let pid = observer.peer.pid?;
        let is_current = match record.state_of(pid) {
            PeerState::Holds => true,
            PeerState::LetGo(Some(to)) => {
                self.grant_of(to).is_none() && self.noted(pid, &record) == Noted::Fresh
            }
            // Kept by a copy; or for a moment, which may be waited out.
            PeerState::LetGo(None) => time != Time::Ample,
            PeerState::Unknown => false,
        };
        // Asked after the record was read: so both are of one time.
        (is_current && observer.is_connected()).then_some(record)
    }
}

impl Observer {
    fn is_connected(&self) -> bool {
        !self.connection.is_an_ancestors() && !poll::is_readable(&self.connection)
    }
}
