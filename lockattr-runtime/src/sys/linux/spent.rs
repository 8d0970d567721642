//! Connections over which a lock was given away, closed when there is time for it.
//!
//! To close one takes three system calls, nearly as many as the hand-off itself, and the receiver often wakes
//! on the very processor that the giver runs on. So the giver sets it aside, and closes it when it is next
//! about to wait for a lock itself, or to take one when all places are full: not while others wait for what it
//! gives. A process that takes no lock again keeps a few of them open.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::fork::{self, Gated};
use crate::sys::socket::ForkSocket;

static SPENT: Gated<[Option<ForkSocket>; 4]> = Gated::new([None, None, None, None]);

/// Whether all places are taken. (In a forked child, whose places are empty, once too often.)
static IS_FULL: AtomicBool = AtomicBool::new(false);

/// Closes `connection` later; at once if enough are open.
pub(crate) fn set_aside(connection: ForkSocket) {
    let left = match fork::gate() {
        Ok(mut gate) => {
            let places = SPENT.get(&mut gate);
            let left = match places.iter_mut().find(|place| place.is_none()) {
                Some(place) => place.replace(connection),
                None => Some(connection),
            };
            IS_FULL.store(places.iter().all(Option::is_some), Ordering::Relaxed);
            left
        }
        Err(_) => Some(connection),
    };
    drop(left); // outside of the gate, which it takes again
}

/// Closes what has been set aside, if there is no place for more.
#[inline]
pub(crate) fn close_if_full() {
    if IS_FULL.load(Ordering::Relaxed) {
        close();
    }
}

/// Closes what has been set aside.
pub(crate) fn close() {
    let spent = fork::gate().map(|mut gate| mem::take(SPENT.get(&mut gate)));
    IS_FULL.store(false, Ordering::Relaxed);
    drop(spent); // outside of the gate, which they take again
}
