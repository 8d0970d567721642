//! Who tries: waiters come to the semaphore one after the other, in the order they came.
//!
//! In front of the semaphore is a [`queue`](crate::backend::queue) under an address of its own. Its head sleeps
//! in the semaphore, looks at the owner and inherits; the others sleep in the queue. The head gives its place
//! on as soon as it owns the lock, so the next one is in the semaphore when the lock is given back.
//!
//! A word of the record, `Waiting`, says that there is a head: while it is set, an acquire does not take a
//! unit that lies there, but queues. The head writes the time there whenever it looks, so the others see
//! whether it goes on looking.
//!
//! All of this is about order only. The [`protocol`](super::protocol) is safe whichever processes try, and so a waiter
//! that finds no order (no descriptor for the queue, a head that is stopped, a program that has bound its
//! address) tries *out of turn*, beside the head. Each network namespace has a queue of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::objects::{Left, Objects};
use crate::backend::queue::{Acquisition, Bound, Line, Queue, Step};
use crate::deadline::{Deadline, GRACE};
use crate::sys::clock;
use crate::sys::socket::ForkSocket;

/// Nanoseconds between two looks of the head: it alone sees that an owner has died. The lock of a dead owner is
/// had within this and the time of a wake; each look costs some tens of microseconds, the wake included.
const HEADS_SLICE: u64 = 20_000_000;

/// Nanoseconds between two looks of a waiter out of turn: there may be many.
const SLICE: u64 = 25_000_000;

/// Nanoseconds between two looks of a waiter in the queue, whether the head goes on looking: at first, and
/// once it has for a while. There may be hundreds of waiters, and one of them that finds the head stopped is
/// enough for the lock to be used on. But each has to find it before its own time is over: so the pauses are
/// also a quarter of the time that is left, at most.
const WATCHED: u64 = 250_000_000;
const TRUSTED: u64 = 4_000_000_000;

/// The shortest of these pauses: twice what a head sleeps for.
const SHORTEST: u64 = 2 * HEADS_SLICE;

/// A head that has looked within so many nanoseconds is awake: it has slept through three looks otherwise.
const FRESH: u64 = 3 * HEADS_SLICE;

/// One attempt's place. Dropping it gives the place on.
#[derive(Debug)]
pub(super) struct Turnstile {
    objects: Arc<Objects>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Queued(Box<Acquisition<Arc<Objects>>>, Watch),
    /// In turn, and what it wrote last.
    Head(ForkSocket, u64),
    OutOfTurn,
    /// Waits no more, and does not try.
    Gone,
}

/// What an attempt may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Try, look, claim and inherit.
    Tries,
    /// Wait until [`Turnstile::connection`] can be read, or until then.
    Queues(u64),
    /// Nothing until then.
    Pauses(u64),
    /// Nothing more, but say who has the lock.
    Gone,
}

impl Turnstile {
    pub(super) fn new(objects: Arc<Objects>, deadline: Deadline<'_>) -> Self {
        let place = if deadline.is_now() {
            Place::at_once(&objects)
        } else {
            Place::queued(&objects, deadline)
        };
        Self { objects, place }
    }

    /// Goes as far as is possible without waiting.
    pub(super) fn advance(&mut self, deadline: Deadline<'_>) -> Turn {
        if matches!(&self.place, Place::Head(listener, _) if listener.is_an_ancestors()) {
            self.place = Place::queued(&self.objects, deadline); // in a forked child
        }
        let (acquisition, watch) = match &mut self.place {
            Place::Queued(acquisition, watch) => (acquisition, watch),
            Place::Head(..) | Place::OutOfTurn => return Turn::Tries,
            Place::Gone => return Turn::Gone,
        };
        let has_waited = acquisition.connection().is_some();
        let pause = match acquisition.advance() {
            Ok(Step::Acquired(listener)) => return self.take_turn(listener, has_waited, deadline),
            Ok(Step::Queued) => None,
            Ok(Step::Barred(pause)) => Some(u64::try_from(pause.as_nanos()).unwrap_or(WATCHED)),
            Err(_) => return self.go_out_of_turn(),
        };
        let is_lost = watch.is_lost(&self.objects, deadline);
        let now = clock::monotonic();
        if now >= deadline.end() || is_lost {
            return match acquisition.leave() {
                Ok(Some(listener)) => self.take_turn(listener, true, deadline),
                _ if is_lost && now < deadline.end() => self.go_out_of_turn(),
                _ => self.go(),
            };
        }
        let until = deadline.end().min(watch.until);
        match pause {
            None => Turn::Queues(until),
            Some(pause) => Turn::Pauses(until.min(now.saturating_add(pause))),
        }
    }

    fn take_turn(
        &mut self,
        listener: ForkSocket,
        has_waited: bool,
        deadline: Deadline<'_>,
    ) -> Turn {
        if has_waited && deadline.has_long_passed(GRACE) {
            self.objects.pass_on(listener);
            return self.go();
        }
        self.place = Place::head(&self.objects, listener);
        Turn::Tries
    }

    pub(super) fn go_out_of_turn(&mut self) -> Turn {
        self.place = Place::OutOfTurn;
        Turn::Tries
    }

    fn go(&mut self) -> Turn {
        self.place = Place::Gone;
        Turn::Gone
    }

    /// The place in the queue.
    pub(super) fn connection(&self) -> Option<&ForkSocket> {
        match &self.place {
            Place::Queued(acquisition, _) => acquisition.connection(),
            _ => None,
        }
    }

    /// The caller looks `now`, and sleeps then.
    pub(super) fn note(&mut self, now: u64) {
        if let Place::Head(_, noted) = &mut self.place {
            *noted = now;
            self.objects.page.note_waiting(now);
        }
    }

    /// Nanoseconds between two looks at the owner: nobody tells a waiter that it died. A look costs some
    /// ten microseconds, most of them for `/proc`.
    pub(super) fn slice(&self) -> u64 {
        match self.place {
            Place::Head(..) => HEADS_SLICE,
            _ => SLICE,
        }
    }
}

impl Place {
    fn queued(objects: &Arc<Objects>, deadline: Deadline<'_>) -> Self {
        Self::Queued(Box::new(Acquisition::new(Arc::clone(objects))), Watch::new(objects, deadline))
    }

    fn head(objects: &Objects, listener: ForkSocket) -> Self {
        objects.stalled.forget();
        Self::Head(listener, objects.page.waiting())
    }

    /// Of an attempt that does not wait: those that wait are served first.
    fn at_once(objects: &Objects) -> Self {
        let noted = objects.page.waiting();
        if noted == 0 {
            return Self::OutOfTurn;
        }
        match objects.queue.bind() {
            Ok(Bound::Held(listener)) => Self::head(objects, listener),
            Ok(Bound::Taken(_)) if is_fresh(noted) => Self::Gone,
            Ok(Bound::Taken(_)) | Err(_) => Self::OutOfTurn,
        }
    }
}

impl Drop for Turnstile {
    fn drop(&mut self) {
        if let Place::Head(listener, noted) = std::mem::replace(&mut self.place, Place::Gone) {
            // In a forked child the place is the parent's.
            if listener.is_an_ancestors() || self.objects.queue.hand_off(listener, |_| {}) {
                return;
            }
            // They may have been cut: that may be why the wait has ended.
            self.objects.doubt();
            if self.objects.left(clock::monotonic()) != Left::Semaphore {
                self.objects.page.clear_waiting(noted);
            }
        }
    }
}

impl Line for Arc<Objects> {
    fn queue(&self) -> &Queue {
        &self.queue
    }

    /// If none is there to take it, the hint is left: the next waiter finds that.
    fn pass_on(&self, listener: ForkSocket) {
        self.queue.hand_off(listener, |_| {});
    }
}

/// Whether the head has looked a moment ago. The clock of another time namespace may be far off: then it
/// has not.
fn is_fresh(noted: u64) -> bool {
    clock::monotonic().checked_sub(noted).is_some_and(|age| age < FRESH)
}

/// Whether the head goes on looking. Two values of the word are compared, and no clocks: those of two time
/// namespaces differ.
#[derive(Debug)]
struct Watch {
    noted: u64,
    patience: u64,
    until: u64,
}

impl Watch {
    /// The first pause leaves time to try out of turn, however short the whole wait is.
    fn new(objects: &Objects, deadline: Deadline<'_>) -> Self {
        let now = clock::monotonic();
        let left = deadline.end().saturating_sub(now);
        Self::from(now, objects.page.waiting(), WATCHED.min(left / 2))
    }

    fn from(now: u64, noted: u64, patience: u64) -> Self {
        let patience = patience.max(SHORTEST);
        Self { noted, patience, until: now.saturating_add(patience) }
    }

    /// Looks when it is time to. A head that is lost is stopped, or has died in another network namespace;
    /// or it is a program that has bound the queue's address.
    fn is_lost(&mut self, objects: &Objects, deadline: Deadline) -> bool {
        let noted = objects.page.waiting();
        if objects.stalled.is(noted) {
            return true;
        }
        let now = clock::monotonic();
        if now < self.until {
            return false;
        }
        if noted == self.noted && !is_fresh(noted) {
            objects.stalled.remember(noted);
            return true;
        }
        let left = deadline.end().saturating_sub(now);
        *self = Self::from(now, noted, (2 * self.patience).min(TRUSTED).min(left / 4));
        false
    }
}

/// What the word was when a thread of this process found that no head goes on looking. While it is that,
/// the others need not find out again.
#[derive(Debug)]
pub(super) struct Stalled(AtomicU64);

impl Stalled {
    /// No clock shows it.
    const NONE: u64 = u64::MAX;

    fn is(&self, noted: u64) -> bool {
        self.0.load(Ordering::Relaxed) == noted
    }

    fn remember(&self, noted: u64) {
        self.0.store(noted, Ordering::Relaxed);
    }

    fn forget(&self) {
        self.0.store(Self::NONE, Ordering::Relaxed);
    }
}

impl Default for Stalled {
    fn default() -> Self {
        Self(AtomicU64::new(Self::NONE))
    }
}

#[cfg(test)]
mod tests;
