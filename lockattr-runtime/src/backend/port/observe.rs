//! Looking at a lock without taking it.
//!
//! Over a connection from a socket without an address the kernel tells who listens, and the holder
//! hands such a connection nothing. A holder that does not listen (k3portlock) is found in
//! `/proc/net/unix`.

use std::io;

use nix::libc;

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

impl Port {
    pub(super) fn look_whether_locked(&self) -> io::Result<bool> {
        Ok(!matches!(self.look()?, Seen::Nobody))
    }

    pub(super) fn look_who_holds(&self) -> io::Result<Option<Holder>> {
        Ok(match self.look()? {
            Seen::Nobody => None,
            Seen::Listener(peer) => Some(self.describe(peer)),
            Seen::Silent(entry) => Some(process_with(table::find_process(entry), KnownBy::Proc)),
            Seen::FullQueue => {
                let record = record::latest(&self.name)?.map(|it| it.holder(KnownBy::Record));
                let holds = record.filter(|holder| holder.tenure == Tenure::Holds);
                Some(holds.unwrap_or_else(|| process_with(None, KnownBy::Kernel)))
            }
        })
    }

    /// The process that the kernel names, with what its record says.
    fn describe(&self, peer: Peer) -> Holder {
        match self.record_of(peer) {
            Some(record) => Holder { known_by: KnownBy::Kernel, ..record.holder(KnownBy::Kernel) },
            None => Holder { uid: Some(peer.uid), ..process_with(peer.pid, KnownBy::Kernel) },
        }
    }

    fn look(&self) -> io::Result<Seen> {
        // A lock that changes hands at each look is locked.
        const LOOKS: usize = 8;

        // Not to be waited for: in a forked child it may be locked for ever, by a thread that was
        // not copied. Then the look is made without it.
        let mut kept = self.observer.try_lock().ok();
        if let Some(kept) = &mut kept {
            if let Some(observer) = kept.take().filter(|observer| self.is_current(observer)) {
                return Ok(Seen::Listener(kept.insert(observer).peer));
            }
        }
        for look in 1.. {
            let connection = ForkSocket::new()?;
            match connection.connect(&self.address) {
                Ok(()) => {}
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(Seen::FullQueue),
                    Some(libc::EINTR) => continue,
                    // Nobody there, or nobody listening: the error is the same.
                    Some(libc::ECONNREFUSED) => {
                        return Ok(table::find(&self.name)?.map_or(Seen::Nobody, Seen::Silent))
                    }
                    _ => return Err(error),
                },
            }
            let peer = peer(&connection)?;
            self.outlast_ghost(&connection);
            if poll::is_readable(&connection) && look < LOOKS {
                continue; // given back meanwhile
            }
            if let Some(kept) = &mut kept {
                **kept = Some(Observer { connection, peer });
            }
            return Ok(Seen::Listener(peer));
        }
        unreachable!("the last look returns")
    }

    /// Whether the holder is still the one that `observer` is connected to. The connection ends with
    /// its tenure, unless it was handed on behind a waiter: then the record is another one's.
    fn is_current(&self, observer: &Observer) -> bool {
        !observer.connection.is_an_ancestors()
            && !poll::is_readable(&observer.connection)
            && self.record_of(observer.peer).is_some()
    }
}

/// A holder of which only the process is known.
fn process_with(pid: Option<u32>, known_by: KnownBy) -> Holder {
    Holder {
        pid,
        uid: pid.and_then(process::uid),
        command: pid.and_then(process::command),
        info: None,
        thread: None,
        since: None,
        held_for: None,
        tenure: Tenure::Holds,
        known_by,
    }
}
