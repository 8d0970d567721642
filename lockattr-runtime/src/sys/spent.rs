//! Connections over which a lock has changed hands, closed when there is time for it.
//!
//! To close one takes three system calls, as many as the hand-off itself. Both processes are done with it just
//! when others wait for them: the giver often runs on the processor that the receiver is to run on, and the
//! receiver holds the lock. So it is set aside, and closed when this process is next about to wait. A process that does
//! not come back keeps a few of them open.

use std::array;

use super::fork::{self, Gated};
use super::socket::ForkSocket;

/// How many are kept open.
const KEPT: usize = 4;

static SPENT: Gated<[Option<ForkSocket>; KEPT]> = Gated::new([None, None, None, None]);

/// Closes `connection` later, in which nothing that matters lies unread.
pub(crate) fn set_aside(connection: ForkSocket) {
    let left = match fork::gate() {
        Ok(mut gate) => match SPENT.get(&mut gate).iter_mut().find(|place| place.is_none()) {
            Some(place) => place.replace(connection),
            None => Some(connection),
        },
        Err(_) => Some(connection),
    };
    drop(left); // outside of the gate, which it takes again
}

/// Closes what has been set aside.
pub(crate) fn close() {
    let spent = match fork::gate() {
        Ok(mut gate) => std::mem::take(SPENT.get(&mut gate)),
        Err(_) => array::from_fn(|_| None),
    };
    drop(spent); // outside of the gate
}
