//! Who tries: waiters come to the ports one after the other, in the order they came.
//!
//! Without it the end of each hold wakes all waiters, and each of them binds and connects anew. With it they are in
//! a [`queue`](crate::backend::queue) at an abstract address, and its head alone is at the ports. It gives its place on
//! as soon as it holds the lock, so the next one is there when the lock is given back.
//!
//! All of this is about order only: whoever has two ports holds the lock. So one that finds no order tries *out of
//! turn*, as all do where there are no abstract addresses (`no_turn.rs`); and one in the queue tries now and then all the
//! same, as its head may be stopped, a task that nobody polls, or a program that has bound the queue's address. Beside
//! programs that wake nobody, as k3portlock's, all try: one at a time would get the lock less often than many of them.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::ports::COUNT;
use super::Tcp;
use crate::backend::queue::{Acquisition, Line, Queue, Step};
use crate::deadline::Deadline;
use crate::sys::clock;
use crate::sys::socket::ForkSocket;

/// The pause between two tries of one in the queue, half of it at least.
const PAUSE: Duration = Duration::from_millis(300);

/// So long this process does not queue any more, in nanoseconds, once it has found the lock free from the queue, or
/// held by what does not listen.
const UNORDERED: u64 = 1_000_000_000;

/// So many looks in a row find no listener where that is none of lockattr's: one of those has a port for a moment only before
/// it listens, or lets go of it.
const SILENCES: u32 = 6;

/// One attempt's place. Dropping it gives the place on.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    tcp: &'a Tcp,
    place: Place<'a>,
    /// How many looks in a row have found no listener.
    silences: u32,
}

#[derive(Debug)]
enum Place<'a> {
    /// It has yet to wait.
    None,
    /// And when it tries all the same.
    Queued(Box<Acquisition<&'a Tcp>>, Instant),
    Head(ForkSocket),
    OutOfTurn,
}

/// What an attempt may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum May {
    /// Try, and wait at the ports.
    Try,
    /// Try once, and wait in the queue.
    TryOnce,
    /// Wait until [`Turn::connection`] can be read, for so long at most.
    Queue(Duration),
}

impl<'a> Turn<'a> {
    pub(super) fn new(tcp: &'a Tcp) -> Self {
        Self { tcp, place: Place::None, silences: 0 }
    }

    /// Begins to wait in order; whether there is one. Whoever has the ports that were `refused`, if it is known which,
    /// has to listen there.
    pub(super) fn join(
        &mut self,
        refused: Option<[bool; COUNT]>,
        deadline: Deadline<'_>,
        chance: &mut Chance,
    ) -> bool {
        if !matches!(self.place, Place::None) {
            return !matches!(self.place, Place::OutOfTurn);
        }
        if clock::monotonic() < self.tcp.unordered_until.load(Ordering::Relaxed) {
            self.place = Place::OutOfTurn;
            return false;
        }
        if refused.is_some_and(|refused| !self.tcp.is_listened_at(refused)) {
            return false;
        }
        // The first pause leaves time for more, however short the whole wait is.
        let pause = deadline.left().map_or(PAUSE, |left| PAUSE.min(left / 2));
        let acquisition = Box::new(Acquisition::new(self.tcp));
        self.place = Place::Queued(acquisition, Instant::now() + varied(pause, chance));
        true
    }

    /// Goes as far as is possible without waiting.
    pub(super) fn advance(&mut self, deadline: Deadline<'_>, chance: &mut Chance) -> May {
        if matches!(&self.place, Place::Head(listener) if listener.is_an_ancestors()) {
            self.place = Place::None; // in a forked child
            self.join(None, deadline, chance);
        }
        let Place::Queued(acquisition, until) = &mut self.place else { return May::Try };
        match acquisition.advance() {
            Ok(Step::Queued) => {}
            Ok(Step::Acquired(listener)) => {
                self.place = Place::Head(listener);
                return May::Try;
            }
            Ok(Step::Barred(_)) | Err(_) => {
                self.place = Place::OutOfTurn;
                return May::Try;
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || deadline.has_passed() {
            *until = Instant::now() + varied(PAUSE, chance);
            return May::TryOnce;
        }
        May::Queue(left)
    }

    /// There is no order for a while: a try of one in the queue has found the lock free, say.
    pub(super) fn forget_order(&self) {
        let until = clock::monotonic().saturating_add(UNORDERED);
        self.tcp.unordered_until.store(until, Ordering::Relaxed);
    }

    /// The lock was found taken, by what listens or by what does not.
    pub(super) fn note(&mut self, is_listened_at: bool) {
        self.silences = if is_listened_at { 0 } else { self.silences + 1 };
        if self.silences >= SILENCES {
            self.forget_order();
            self.leave();
        }
    }

    /// From here on it has no place.
    fn leave(&mut self) {
        if let Place::Head(listener) = std::mem::replace(&mut self.place, Place::OutOfTurn) {
            // In a forked child the place is the parent's.
            if !listener.is_an_ancestors() {
                self.tcp.pass_on(listener);
            }
        }
    }

    /// Whether nobody else is to go first.
    pub(super) fn is_head(&self) -> bool {
        matches!(self.place, Place::Head(_))
    }

    /// The place in the queue.
    pub(super) fn connection(&self) -> Option<&ForkSocket> {
        match &self.place {
            Place::Queued(acquisition, _) => acquisition.connection(),
            _ => None,
        }
    }
}

/// Half of `pause` at least.
fn varied(pause: Duration, chance: &mut Chance) -> Duration {
    pause / 2 + chance.up_to(pause / 2)
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Line for &Tcp {
    fn queue(&self) -> &Queue {
        &self.queue
    }

    fn pass_on(&self, listener: ForkSocket) {
        self.queue.hand_off(listener, |_| {});
    }
}
