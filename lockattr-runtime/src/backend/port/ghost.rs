//! A lock that was given back and is still bound: a ghost.
//!
//! Between `fork` (or `vfork`, `posix_spawn`) and `exec`, a child has copies of the descriptors that
//! another thread of its parent holds locks by, for close-on-exec acts at `exec` only. If the lock is
//! given back meanwhile, its address stays bound for that moment, with nobody there. Who waits in a
//! queue is woken when the copy goes, and notices nothing; but who tries once would be told that the
//! lock is taken, often by the very thread that has just given it back.

use std::time::{Duration, Instant};

use super::Port;
use crate::record::{self, Grant, PeerState};
use crate::sys::clock;
use crate::sys::poll;
use crate::sys::socket::{peer, ForkSocket};

/// How long to wait for a ghost to go. It takes a child well under a millisecond to come to its
/// `exec`, but a busy machine may not run it at once.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);

/// How long after its release a lock can have a ghost, generously.
const HAUNTED: Duration = Duration::from_secs(1);

/// How often to look whether what seemed a ghost has become a holder.
pub(super) const SLICE: Duration = Duration::from_millis(1);

impl Port {
    /// Whether what has the lock's address may be a ghost: worth to ask over the socket, which leaves
    /// an entry in a holder's queue.
    pub(super) fn may_be_haunted(&self) -> bool {
        let page = self.record.page();
        page.last_grant().was_released_lately() && !page.was_handed()
    }

    /// Whether the process that listened last has given the lock back, and to nobody.
    pub(super) fn is_ghost(&self, connection: &ForkSocket) -> bool {
        let Ok(peer) = peer(connection) else { return false };
        match record::read(&self.name, peer.uid) {
            Some(record) => {
                let state = peer.pid.map(|pid| record.state_of(pid));
                state == Some(PeerState::LetGo(None)) && is_lately(record.released_at())
            }
            None => self
                .record
                .private_last_grant()
                .is_some_and(|last| Some(last.pid()) == peer.pid && last.was_released_lately()),
        }
    }

    /// Waits a little while what `connection` leads to is a ghost; whether it was one, so that it is
    /// worth to look again. After `gone_by` nothing is taken for a ghost any more.
    pub(super) fn waited_for_ghost(&self, connection: &ForkSocket, gone_by: Instant) -> bool {
        Instant::now() < gone_by
            && self.is_ghost(connection)
            && poll::wait_readable(connection, Some(SLICE)).is_ok()
    }
}

fn is_lately(released: Option<u64>) -> bool {
    released.is_some_and(|released| {
        Duration::from_nanos(clock::monotonic().saturating_sub(released)) < HAUNTED
    })
}

impl Grant {
    fn was_released_lately(&self) -> bool {
        is_lately(self.released_at())
    }
}
