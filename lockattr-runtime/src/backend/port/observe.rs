//! Looking at a lock without taking it.
//!
//! Over a connection from a socket without an address the kernel tells who listens, and the holder
//! hands such a connection nothing. A holder that does not listen (k3portlock) is found in
//! `/proc/net/unix`.

use std::io;
use std::time::Instant;

use super::ghost::PATIENCE;
use super::sockets::{connect, Connected};
use super::table::{self, Entry};
use super::Port;
use crate::holder::{Holder, KnownBy, Tenure};
use crate::record;
use crate::sys::poll;
use crate::sys::process;
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
    Listener(Peer),
    /// A listener whose queue is full: the kernel does not say who.
    FullQueue,
    /// Somebody who bound the address and does not listen.
    Silent(Entry),
}

/// How a look treats a lock that was given back and is still bound.
#[derive(Clone, Copy)]
pub(super) enum Ghosts {
    /// Waits for it to go, for up to [`PATIENCE`].
    Outlast,
    /// Takes it for the holder: there is no time to wait.
    Believe,
}

impl Port {
    pub(super) fn look_whether_locked(&self) -> io::Result<bool> {
        // A kept connection that has not ended tells without another look, whoever holds by now.
        let kept = self.observer.try_lock();
        if kept.is_ok_and(|kept| kept.as_ref().is_some_and(Observer::is_connected)) {
            return Ok(true);
        }
        Ok(!matches!(self.look(Ghosts::Outlast)?, Seen::Nobody))
    }

    pub(super) fn look_who_holds(&self, ghosts: Ghosts) -> io::Result<Option<Holder>> {
        Ok(match self.look(ghosts)? {
            Seen::Nobody => None,
            Seen::Listener(peer) => Some(self.describe(peer)),
            Seen::Silent(entry) => Some(process_with(table::find_process(entry), KnownBy::Proc)),
            Seen::FullQueue => {
                let record = record::latest(&self.name)?.filter(|record| !record.has_ended());
                let holder = record.map(|record| record.last_holder());
                Some(holder.unwrap_or_else(|| process_with(None, KnownBy::Kernel)))
            }
        })
    }

    /// The process that the kernel names, with what its record says.
    fn describe(&self, peer: Peer) -> Holder {
        match self.record_of(peer) {
            Some(record) => record.present_holder(KnownBy::Kernel),
            None => Holder { uid: Some(peer.uid), ..process_with(peer.pid, KnownBy::Kernel) },
        }
    }

    fn look(&self, ghosts: Ghosts) -> io::Result<Seen> {
        // A lock that changes hands at each look is locked.
        const LOOKS: usize = 8;

        let start = Instant::now();
        let gone_by = match ghosts {
            Ghosts::Outlast => start + PATIENCE,
            Ghosts::Believe => start,
        };
        // Not to be waited for: in a forked child it may be locked for ever, by a thread that was
        // not copied. Then the look is made without it.
        let mut kept = self.observer.try_lock().ok();
        if let Some(kept) = &mut kept {
            if let Some(observer) = kept.take().filter(|observer| self.is_current(observer)) {
                return Ok(Seen::Listener(kept.insert(observer).peer));
            }
        }
        let mut looks = 0;
        loop {
            let connection = ForkSocket::new()?;
            match connect(&connection, &self.address) {
                Connected::Yes => {}
                Connected::QueueFull => return Ok(Seen::FullQueue),
                Connected::Refused => {
                    return Ok(table::find(&self.name)?.map_or(Seen::Nobody, Seen::Silent))
                }
                Connected::Failed(error) => return Err(error),
            }
            // What the kernel says of a connection does not change any more: after a wait, anew.
            if self.waited_for_ghost(&connection, gone_by) {
                continue;
            }
            looks += 1;
            if poll::is_readable(&connection) && looks < LOOKS {
                continue; // given back meanwhile
            }
            let peer = peer(&connection)?;
            if let Some(kept) = &mut kept {
                **kept = Some(Observer { connection, peer });
            }
            return Ok(Seen::Listener(peer));
        }
    }

    /// Whether the holder is still the one that `observer` is connected to. The connection ends with
    /// its tenure, unless it was handed on behind a waiter: then the record is another one's.
    fn is_current(&self, observer: &Observer) -> bool {
        observer.is_connected() && self.record_of(observer.peer).is_some()
    }
}

impl Observer {
    fn is_connected(&self) -> bool {
        !self.connection.is_an_ancestors() && !poll::is_readable(&self.connection)
    }
}

/// A holder of which only the process is known.
fn process_with(pid: Option<u32>, known_by: KnownBy) -> Holder {
    Holder {
        pid,
        uid: pid.and_then(process::uid),
        command: pid.and_then(process::command),
        ..Holder::unknown(Tenure::Holds, known_by)
    }
}
