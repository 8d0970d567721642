//! Closing what may take long, in a thread of its own.
//!
//! A `close` can block for as long as another process likes: on a TCP socket with `SO_LINGER` and unsent
//! data until the time given there is over (socket(7)), on a file of a FUSE file system until its server
//! answers the `FLUSH`, and on a unix socket for as long as the descriptors need that lie unread in its
//! queue (`unix_release_sock` in the kernel's `net/unix/af_unix.c`). Whatever another process has sent, or
//! can have sent, is closed here and not on the way of an acquire or a release.

use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::SigSet;
use socket2::SockRef;

use super::fork::{self, Gated};
use super::generation::generation;

/// What waits to be closed.
#[derive(Default)]
struct Pile {
    descriptors: Vec<OwnedFd>,
    /// In which process a thread takes them away. In a forked child there is none of its parent's threads.
    manned_in: Option<u32>,
}

static PILE: Gated<Pile> = Gated::new(Pile { descriptors: Vec::new(), manned_in: None });

/// With so many descriptors on the pile, no more of their kind should be asked for.
const MANY: usize = 16;

/// Closes `descriptor` soon, and returns at once.
pub(super) fn close_aside(descriptor: OwnedFd) {
    let Some(is_manned) = with_pile(|pile| {
        pile.descriptors.push(descriptor);
        pile.manned_in.replace(generation()) == Some(generation())
    }) else {
        return;
    };
    if !is_manned && spawn(close_all).is_err() {
        // Without a thread they lie there until the next one is wanted.
        with_pile(|pile| pile.manned_in = None);
    }
}

/// Whether the thread has more to close than it gets done.
pub(crate) fn is_behind() -> bool {
    with_pile(|pile| pile.descriptors.len() >= MANY) == Some(true)
}

/// None in a signal handler that has interrupted this thread inside of the gate.
fn with_pile<T>(work: impl FnOnce(&mut Pile) -> T) -> Option<T> {
    let mut gate = fork::gate().ok()?;
    Some(work(PILE.get(&mut gate)))
}

/// The thread: it ends when nothing is left.
fn close_all() {
    while let Some(descriptor) = next() {
        // Nobody here waits for data to arrive. Fails where it is no socket.
        let _ = SockRef::from(&descriptor).set_linger(None);
        drop(descriptor); // outside of the gate: a fork may well copy it
    }
}

fn next() -> Option<OwnedFd> {
    with_pile(|pile| {
        let next = pile.descriptors.pop();
        if next.is_none() {
            pile.manned_in = None;
        }
        next
    })?
}

/// Drops `value` in a thread of its own, and waits for that, but no longer than `patience`.
pub(super) fn drop_within<T: Send + 'static>(value: T, patience: Duration) {
    let (done, is_done) = mpsc::channel();
    let spawned = spawn(move || {
        drop(value);
        let _ = done.send(()); // nobody may be waiting any more
    });
    // Without a thread it has been dropped with the closure.
    if spawned.is_ok() {
        let _ = is_done.recv_timeout(patience);
    }
}

/// A thread that is sent none of the program's signals.
fn spawn(run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let run = move || {
        let _ = SigSet::all().thread_block(); // fails for unknown arguments only
        run();
    };
    thread::Builder::new().name("lockattr-close".into()).stack_size(64 << 10).spawn(run).map(drop)
}
