//! Ghosts of a port lock: see [`ghost`](crate::backend::ghost).

use std::time::Instant;

use super::Port;
use crate::backend::ghost::{is_lately, SLICE};
use crate::record::{self, PeerState, Snapshot};
use crate::sys::poll;
use crate::sys::socket::{peer, ForkSocket, Peer};

impl Port {
    /// Whether what has the lock's address may be a ghost: worth to ask over the socket, which leaves
    /// an entry in a holder's queue.
    pub(super) fn may_be_haunted(&self) -> bool {
        let page = self.record.page();
        page.last_grant().was_released_lately() && !page.was_handed()
    }

    /// Whether the process that listened last has given the lock back, and to nobody.
    pub(super) fn is_ghost(&self, connection: &ForkSocket) -> bool {
        peer(connection).is_ok_and(|peer| {
            self.has_let_go_lately(peer, record::read_any(&self.name, peer.uid).as_ref())
        })
    }

    /// Whether `peer`, whose user's record is this, has given the lock back, and to nobody.
    fn has_let_go_lately(&self, peer: Peer, record: Option<&Snapshot>) -> bool {
        match record.filter(|record| record.is_whole()) {
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

    /// Waits a little while what `connection` leads to, to `peer`, is a ghost by this record; whether it is one, so
    /// that it is worth to look again. After `gone_by` nothing is taken for a ghost any more.
    pub(super) fn waited_for_ghost(
        &self,
        connection: &ForkSocket,
        peer: Peer,
        record: Option<&Snapshot>,
        gone_by: Instant,
    ) -> bool {
        Instant::now() < gone_by
            && self.has_let_go_lately(peer, record)
            && poll::wait_readable(connection, Some(SLICE)).is_ok()
    }
}
