//! Closing what may take long, in a thread of its own.
//!
//! A `close` can block for as long as another process likes: on a TCP socket with `SO_LINGER` and unsent
//! data until the time given there is over (socket(7)), on a file of a FUSE file system until its server
//! answers the `FLUSH`, and on a unix socket for as long as the descriptors need that lie unread in its
//! queue (`unix_release_sock` in the kernel's `net/unix/af_unix.c`). Whatever another process has sent, or
//! can have sent, is closed here and not on the way of an acquire or a release.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Duration;

use nix::sys::signal::SigSet;
use socket2::SockRef;

use crate::sys::fork::{self, Gated};
use crate::sys::generation::generation;

/// What waits to be closed.
#[derive(Default)]
struct Pile {
    descriptors: Vec<(OwnedFd, Option<Arc<Tally>>)>,
    /// How many threads take them away, and in which process: a forked child has none of its parent's.
    threads: usize,
    process: u32,
}

static PILE: Gated<Pile> = Gated::new(Pile { descriptors: Vec::new(), threads: 0, process: 0 });

/// How many descriptors of one origin wait to be closed, or are being closed. One that is slow to close keeps
/// a thread for as long as another process likes, and must not bar what comes from others.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicUsize);

impl Tally {
    /// Whether so many are left that no more of this origin should be asked for.
    pub(crate) fn is_high(&self) -> bool {
        const MANY: usize = 16;

        self.0.load(Ordering::Relaxed) >= MANY
    }
}

/// Closes `descriptor` soon, and returns at once.
pub(super) fn close_aside(descriptor: OwnedFd, tally: Option<Arc<Tally>>) {
    /// Each may be kept by one descriptor.
    const THREADS: usize = 8;

    if let Some(tally) = &tally {
        tally.0.fetch_add(1, Ordering::Relaxed);
    }
    let has_room = with_pile(|pile| {
        if pile.process != generation() {
            (pile.threads, pile.process) = (0, generation());
        }
        pile.descriptors.push((descriptor, tally));
        let has_room = pile.threads < THREADS;
        pile.threads += usize::from(has_room);
        has_room
    });
    if has_room == Some(true) && spawn(close_all).is_err() {
        close_all(); // late, but a lock may lie in there
    }
}

/// None in a signal handler that has interrupted this thread inside of the gate.
fn with_pile<T>(work: impl FnOnce(&mut Pile) -> T) -> Option<T> {
    let mut gate = fork::gate().ok()?;
    Some(work(PILE.get(&mut gate)))
}

/// A thread: it ends when nothing is left.
fn close_all() {
    while let Some((descriptor, tally)) = next() {
        // Nobody here waits for data to arrive. Fails where it is no socket.
        let _ = SockRef::from(&descriptor).set_linger(None);
        drop(descriptor); // outside of the gate: a fork may well copy it
        if let Some(tally) = tally {
            tally.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn next() -> Option<(OwnedFd, Option<Arc<Tally>>)> {
    with_pile(|pile| {
        let next = pile.descriptors.pop();
        if next.is_none() {
            pile.threads = pile.threads.saturating_sub(1);
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
