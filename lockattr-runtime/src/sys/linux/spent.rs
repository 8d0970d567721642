//! Connections over which a lock was given away, closed when there is time for it.
//!
//! To close one takes three system calls, nearly as many as the hand-off itself, and the receiver often wakes
//! on the very processor that the giver runs on. So the giver sets it aside, and closes it when it is next
//! about to wait for a lock itself. A process that does not wait again keeps a few of them open.

use std::mem;

use crate::sys::fork::{self, Gated};
use crate::sys::socket::ForkSocket;

static SPENT: Gated<[Option<ForkSocket>; 4]> = Gated::new([None, None, None, None]);

/// Closes `connection` later; at once if enough are open.
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
    let spent = fork::gate().map(|mut gate| mem::take(SPENT.get(&mut gate)));
    drop(spent); // outside of the gate, which they take again
}
