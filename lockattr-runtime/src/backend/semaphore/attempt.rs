//! One acquire from its beginning to its end: when to wait on, and when to stop. It never blocks by
//! itself: [`Attempt::wait`] and its async counterpart sleep between its steps.

use std::ptr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::memory::{done, Access};
use super::objects::Objects;
use super::protocol::{self, Look, Memory, Sight, Taken};
use super::pulse::Pulse;
use super::turnstile::{Turn, Turnstile};
use super::{Failure, Semaphore};
use crate::backend::RawLock as _;
use crate::deadline::Deadline;
use crate::record::owner::Owner;
use crate::sys::clock;
use crate::tell::Waiting;

/// Nanoseconds that a claim is left to another process for.
const CLAIM: u64 = 25_000_000;

/// Nanoseconds before the first look: most waits end there.
const FIRST: u64 = 1_000_000;

/// Nanoseconds that it takes to say that nobody is there: many times more than a process needs from taking
/// the semaphore to leaving its text or word, unless it is stopped just there.
const PAUSE: u64 = 5_000_000;

pub(super) struct Attempt<'a> {
    pub(super) lock: &'a Semaphore,
    pub(super) objects: Arc<Objects>,
    /// When to try.
    pub(super) turnstile: Turnstile,
    me: Owner,
    pulse: Pulse,
    pub(super) deadline: Deadline<'a>,
    /// Whether it has waited for a moment before the first look: most waits end there.
    has_waited: bool,
    /// What the last look found, if it was that nobody is there, and when that may be believed.
    suspicion: Option<(Look, u64)>,
    /// When a claim of this attempt has stood for long enough.
    claims_until: Option<u64>,
}

/// What is next in an [`Attempt`].
pub(super) enum Next {
    /// Nothing: the lock is owned.
    Acquired,
    /// Nothing: others had it until the deadline; what the last look found.
    Refused(Look),
    /// To wait for a unit of the semaphore until then at most (nanoseconds of the monotonic clock).
    Wait(u64),
    /// To wait until [`Turnstile::connection`] can be read, or until then: it is not this one's turn.
    Queue(u64),
    /// To do nothing until then.
    Rest(u64),
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        lock: &'a Semaphore,
        objects: Arc<Objects>,
        me: Owner,
        deadline: Deadline<'a>,
    ) -> Self {
        Self {
            lock,
            turnstile: Turnstile::new(Arc::clone(&objects), deadline),
            objects,
            me,
            pulse: Pulse::default(),
            deadline,
            has_waited: deadline.is_now(),
            suspicion: None,
            claims_until: None,
        }
    }

    /// Goes as far as is possible without waiting. `taken` tells whether the wait has brought a unit.
    pub(super) fn next(&mut self, mut taken: bool) -> Result<Next, Box<Failure>> {
        if self.turnstile.connection().is_none() {
            self.objects.doubt(); // after its slice of a wait
        }
        loop {
            if !taken {
                // Before anything in them is touched: they may have been cut during the wait.
                self.open(clock::monotonic())?;
                match self.turnstile.advance(self.deadline) {
                    Turn::Tries => {}
                    Turn::Queues(until) => return Ok(Next::Queue(until)),
                    Turn::Pauses(until) => return Ok(Next::Rest(until)),
                    Turn::Gone => return Ok(self.conclude()),
                }
            }
            let objects = Arc::clone(&self.objects);
            let access = Access::new(&objects, self.me);
            if taken || done(access.try_wait()) {
                taken = false;
                match done(protocol::own(&access)) {
                    Taken::Owned if self.keeps(&access)? => return Ok(Next::Acquired),
                    Taken::Owned => continue,
                    Taken::Surplus => self.lock.report_surplus(1),
                    Taken::PutBack => match self.rest(&access)? {
                        Some(next) => return Ok(next),
                        None => continue,
                    },
                }
            }
            let now = clock::monotonic();
            if let Some(until) = self.claims_until {
                if now < until {
                    return Ok(self.sleep(now, until));
                }
                self.claims_until = None;
                if done(protocol::inherit(&access)) {
                    if self.keeps(&access)? {
                        return Ok(Next::Acquired);
                    }
                    continue;
                }
            }
            if !self.has_waited {
                self.has_waited = true;
                return Ok(self.sleep(now, self.deadline.end().min(now + FIRST)));
            }
            let look = done(protocol::look(&Access { pulse: Some(&self.pulse), ..access }));
            if let Some(until) = self.until(&access, look, now) {
                // At the end of each slice the files may be others.
                self.open(now)?;
                if Arc::ptr_eq(&objects, &self.objects) {
                    return Ok(self.sleep(now, until));
                }
                continue;
            }
            self.suspicion = None;
            match look {
                Look::Free => {}
                Look::Left(dead) => {
                    if done(protocol::claim(&access, dead)) {
                        self.claims_until = Some(now + PAUSE);
                    } else {
                        // Another process was faster, or this semaphore is not the dead one's.
                        self.open(now)?;
                    }
                }
                Look::Owned(_) | Look::Foreign | Look::Unknown => return Ok(Next::Refused(look)),
            }
        }
    }

    /// Opens the files again, if they are others by now.
    fn open(&mut self, now: u64) -> Result<(), Box<Failure>> {
        let (objects, _) = self.lock.open(now)?;
        if !Arc::ptr_eq(&objects, &self.objects) {
            // Those who wait for the new ones queue elsewhere.
            self.turnstile = Turnstile::new(Arc::clone(&objects), self.deadline);
            self.objects = objects;
        }
        Ok(())
    }

    /// To wait for a unit.
    fn sleep(&mut self, now: u64, until: u64) -> Next {
        self.turnstile.note(now);
        Next::Wait(until)
    }

    /// The end of one whose turn has not come.
    fn conclude(&mut self) -> Next {
        let objects = Arc::clone(&self.objects);
        let access = Access::new(&objects, self.me);
        let look = done(protocol::look(&access));
        let is_doubtful = look == Look::Unknown;
        match self.until(&access, look, clock::monotonic()).filter(|_| is_doubtful) {
            Some(until) => Next::Rest(until),
            None => Next::Refused(look),
        }
    }

    /// Whether the lock that is owned now is the one that others find. If not, it is given back.
    fn keeps(&mut self, access: &Access<'_>) -> Result<bool, Box<Failure>> {
        let keeps = done(protocol::keeps(access));
        if !keeps {
            self.claims_until = None;
            self.open(clock::monotonic())?;
        }
        Ok(keeps)
    }

    /// The unit that was taken is put back: there is an owner with a unit of another semaphore, or with one
    /// that it has yet to sign for. None if it is worth another try at once.
    #[cold]
    fn rest(&mut self, access: &Access<'_>) -> Result<Option<Next>, Box<Failure>> {
        self.claims_until = None; // another process was faster
        let now = clock::monotonic();
        self.open(now)?;
        let look = done(protocol::look(access));
        if !ptr::eq(access.objects, &*self.objects) || !matches!(look, Look::Owned(_)) {
            return Ok(None);
        }
        let until = self.deadline.end().min(now + PAUSE);
        self.turnstile.note(now);
        Ok(Some(if until > now { Next::Rest(until) } else { Next::Refused(look) }))
    }

    /// Until when to wait after this look; none if it is time to act on it.
    fn until(&mut self, access: &Access<'_>, look: Look, now: u64) -> Option<u64> {
        let patience = match look {
            Look::Free => return None,
            // To claim takes a process a moment. After a longer one it has given up.
            Look::Left(owner) if owner.claims() && !done(access.is_dead(owner)) => Some(CLAIM),
            Look::Left(_) => Some(0),
            Look::Unknown => Some(PAUSE),
            Look::Owned(_) | Look::Foreign => None,
        };
        let believed_at = match self.suspicion {
            Some((last, believed_at)) if last == look => believed_at,
            _ => now + patience.unwrap_or(0),
        };
        self.suspicion = patience.map(|_| (look, believed_at));
        let until = match look {
            // Even where the time is over: the lock is there to be had.
            Look::Left(_) => believed_at,
            _ => self.deadline.end().min(now + self.turnstile.slice()).max(believed_at),
        };
        (until > now).then_some(until)
    }

    /// Waits for the lock until the deadline.
    pub(super) fn wait(mut self) -> Result<Waited, Box<Failure>> {
        let mut taken = false;
        let mut waiting = Waiting::new(&self.lock.name, self.deadline);
        loop {
            match self.next(taken)? {
                Next::Acquired => return Ok(Waited::Acquired(self.objects, self.turnstile)),
                Next::Refused(look) => return Ok(Waited::Refused(look)),
                Next::Queue(until) => {
                    let left = Duration::from_nanos(until.saturating_sub(clock::monotonic()));
                    let left = waiting.at_most(Some(left));
                    let wait = |connection| self.deadline.wait_readable(connection, left);
                    let waited = self.turnstile.connection().map(wait);
                    if let Some(Err(_)) = waited {
                        self.turnstile.go_out_of_turn();
                    }
                    taken = false;
                }
                Next::Wait(until) => taken = self.objects.semaphore.wait_until(until),
                Next::Rest(until) => {
                    thread::sleep(Duration::from_nanos(until.saturating_sub(clock::monotonic())));
                    taken = false;
                }
            }
            if !taken {
                waiting.tell(|| self.lock.holder().ok().flatten());
            }
        }
    }
}

/// How a wait ended.
pub(super) enum Waited {
    /// The turnstile is to be passed on.
    Acquired(Arc<Objects>, Turnstile),
    Refused(Look),
}

#[cfg(test)]
mod tests;
