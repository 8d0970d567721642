//! The semaphore backend: whoever has the unit of the POSIX semaphore `/NAME` holds the lock, and
//! leaves its word in the shared-memory object `/NAME`.
//!
//! ```text
//! holder     sem_trywait, owner word, record        … body …        owner word, sem_post
//! waiter     queue, then sem_clockwait, and a look at the owner now and then
//! observer   reads both files
//! ```
//!
//! They are resourcelock's own objects, used in its own way, so the two exclude each other and each
//! shows the other's text. What resourcelock does not have is the owner word: by it a waiter sees that
//! a holder has died, and inherits the lock. [`protocol`] is all of it, and argues why it is safe.
//! In what order waiters try is another matter: [`turnstile`].

mod attempt;
#[cfg(feature = "async")]
mod attempt_async;
mod judge;
mod memory;
#[cfg(test)]
mod model;
mod objects;
mod observe;
mod protocol;
mod trust;
mod turnstile;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{beside, Failure, RawLock};
use crate::deadline::Deadline;
use crate::holder::Holder;
use crate::info::Info;
use crate::kind::Backend;
use crate::record::owner::{Owner, Writer};
use crate::record::OwnedPage;
use crate::standing::Standing;
use crate::sys::clock;
use crate::sys::fork;
use crate::sys::generation::generation;
use crate::sys::process::Process;
use attempt::{Attempt, Waited};
use memory::{done, Access};
use objects::{Left, Objects, Paths};
use protocol::{Drained, Look, Memory, Taken};

/// Many times what a process needs from taking the lock to writing its record.
const MOMENT: Duration = Duration::from_millis(5);

/// A lock by a named semaphore.
#[derive(Debug)]
pub(crate) struct Semaphore {
    name: Box<str>,
    paths: Arc<Paths>,
    /// Of the files, where this makes them.
    mode: u32,
    /// Opened at the first acquire.
    objects: fork::Gated<Option<Arc<Objects>>>,
    /// Counts acquisitions: see [`Owner::in_turn`].
    turns: AtomicU64,
}

/// The lock, in a holder's hand. Dropping it gives the lock back.
#[derive(Debug)]
pub(crate) struct Held {
    /// Those that it was taken by, whatever has become of their names.
    objects: Arc<Objects>,
    me: Owner,
    generation: u32,
    is_over: bool,
    recovered_from: Option<Box<Holder>>,
}

impl RawLock for Semaphore {
    type Held = Held;

    #[inline]
    fn acquire(&self, deadline: Deadline, info: Info<'_>) -> Result<Held, Box<Failure>> {
        let (objects, me) = self.begin(deadline)?;
        if self.takes_at_once(&objects, me) {
            return self.grant(objects, me, deadline.start(), info);
        }
        self.conclude(Attempt::new(self, objects, me, deadline).wait()?, me, info)
    }

    #[cfg(feature = "async")]
    async fn acquire_async(
        &self,
        deadline: Deadline,
        info: Info<'_>,
    ) -> Result<Held, Box<Failure>> {
        let (objects, me) = self.begin(deadline)?;
        if self.takes_at_once(&objects, me) {
            return self.grant(objects, me, deadline.start(), info);
        }
        self.conclude(Attempt::new(self, objects, me, deadline).wait_async().await?, me, info)
    }

    #[inline]
    fn release(&self, held: Held) {
        self.give_back(held, OwnedPage::write_release);
    }

    fn abandon(&self, held: Held) {
        self.give_back(held, |page, _| page.write_abandonment());
    }

    fn check_detach(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn detach(&self, mut held: Held) {
        held.is_over = true;
        let has_record = held.objects.left(clock::monotonic_coarse()) != Left::Semaphore;
        if has_record {
            held.objects.page.write_detachment();
        }
        // The semaphore is left as it is.
        if !has_record || !done(protocol::detach(&held.access())) {
            crate::log::torn_away(&self.name);
        }
    }

    fn descriptor(_: &Held) -> Result<OwnedFd, Failure> {
        let reason = "a semaphore has none, and cannot outlive its process";
        let unsupported = io::Error::new(io::ErrorKind::Unsupported, reason);
        Err(Failure::io("leave it to a descriptor")(unsupported))
    }

    fn keep(&self, held: Held) {
        drop(held);
    }

    fn remove(&self, mut held: Held) {
        held.is_over = true;
        held.objects.unlink();
        // No unit is posted: nobody takes what was removed. Nor is there an owner whose death would free it.
        done(protocol::detach(&held.access()));
        held.objects.doubt();
    }

    fn recovered_from(held: &Held) -> Option<&Holder> {
        held.recovered_from.as_deref()
    }

    fn standing(&self) -> Result<Standing, Failure> {
        self.judge()
    }

    fn check_record(&self, _held: &Self::Held) -> Result<(), Failure> {
        Ok(()) // it is where the lock is
    }

    fn own_hold(&self) -> Option<Holder> {
        let last = self.last_holder().ok().flatten();
        last.filter(|holder| holder.pid == Some(std::process::id()))
    }

    fn is_locked(&self) -> Result<bool, Failure> {
        self.look_whether_locked()
    }

    fn holder(&self) -> Result<Option<Holder>, Failure> {
        Ok(self.judge()?.into_holder())
    }

    fn last_holder(&self) -> Result<Option<Holder>, Failure> {
        Ok(self.judge()?.into_last_holder())
    }

    fn force_release(&self) -> Result<bool, Failure> {
        // Nothing is made for that.
        match self.paths.open_semaphore() {
            Err(Failure::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(false)
            }
            opened => drop(opened?),
        }
        // Also where the name is held under the other backend: the semaphore is what is to be freed.
        let opened = match self.opened(clock::monotonic()) {
            Ok((Some(objects), process)) => Ok((objects, process)),
            Ok((None, _)) => self.open_anew(),
            Err(failure) => Err(failure),
        };
        let (objects, process) = opened.map_err(|why| *why)?;
        let me = process.in_turn(self.turns.fetch_add(1, Ordering::Relaxed));
        Ok(done(protocol::force(&Access { objects: &objects, me })))
    }
}

impl Semaphore {
    /// Opens nothing: that happens at the first acquire. `name` has been checked.
    pub(super) fn new(name: &str, mode: u32) -> Self {
        Self {
            name: name.into(),
            paths: Paths::new(name).into(),
            mode,
            objects: fork::Gated::default(),
            turns: AtomicU64::new(0),
        }
    }

    /// What an acquisition works with: the files, and its own word.
    #[inline]
    fn begin(&self, deadline: Deadline) -> Result<(Arc<Objects>, Owner), Box<Failure>> {
        let (objects, process) = self.open(deadline.start())?;
        Ok((objects, process.in_turn(self.turns.fetch_add(1, Ordering::Relaxed))))
    }

    /// The files, opened, or opened again if somebody removed or cut them; and this process's word.
    #[inline]
    fn open(&self, now: u64) -> Result<(Arc<Objects>, Owner), Box<Failure>> {
        match self.opened(now)? {
            (Some(objects), me) => Ok((objects, me)),
            (None, _) => self.open_first(),
        }
    }

    /// The files, if they are open and nobody has removed or cut them.
    #[inline]
    fn opened(&self, now: u64) -> Result<(Option<Arc<Objects>>, Owner), Box<Failure>> {
        self.with_objects(|objects| {
            objects.as_ref().filter(|objects| objects.are_whole(now)).cloned()
        })
    }

    #[cold]
    fn open_first(&self) -> Result<(Arc<Objects>, Owner), Box<Failure>> {
        beside::check(&self.name, Backend::Semaphore)?;
        self.open_anew()
    }

    #[cold]
    fn open_anew(&self) -> Result<(Arc<Objects>, Owner), Box<Failure>> {
        // Outside of the gate, as it may take a while. Another thread may do the same.
        let this = Process::this();
        let opened = Objects::open(&self.paths, self.mode, |owner| judge::can_be(owner, this))?;
        let left = opened.page.left_before_exec(this);
        if left.is_some() {
            // Unless another copy of this library in this program is just about to write its record.
            thread::sleep(MOMENT);
        }
        self.with_objects(|objects| {
            // Nothing but this state takes the lock for this program, and it has not yet: what stands
            // there with this process's word was left before `exec`.
            match left {
                Some(left)
                    if objects.is_none() && opened.page.left_before_exec(this) == Some(left) =>
                {
                    opened.page.swap_owner(left, left.left_before_exec());
                }
                _ => {}
            }
            Arc::clone(objects.insert(Arc::new(opened)))
        })
    }

    /// Both under one gate: this is on the way of every acquire.
    #[inline]
    fn with_objects<T>(
        &self,
        work: impl FnOnce(&mut Option<Arc<Objects>>) -> T,
    ) -> Result<(T, Owner), Box<Failure>> {
        let me = Writer::this().word;
        let mut gate = fork::gate().map_err(Failure::io("enter the library"))?;
        Ok((work(self.objects.get(&mut gate)), me))
    }

    /// The way of nearly every acquire.
    #[inline]
    fn takes_at_once(&self, objects: &Objects, me: Owner) -> bool {
        let access = Access { objects, me };
        // Those that wait come first.
        if objects.page.waiting() != 0 || !done(access.try_wait()) {
            return false;
        }
        let taken = done(protocol::own(&access));
        if taken == Taken::Surplus {
            self.report_surplus(1);
        }
        taken == Taken::Owned
    }

    #[cold]
    fn conclude(&self, waited: Waited, me: Owner, info: Info<'_>) -> Result<Held, Box<Failure>> {
        match waited {
            Waited::Acquired(objects, turnstile) => {
                let granted = self.grant(objects, me, clock::monotonic(), info);
                // The next one is to be in the semaphore before the lock is given back.
                drop(turnstile);
                granted
            }
            Waited::Refused(look) => Err(Box::new(self.refusal(look))),
        }
    }

    /// The caller owns the lock. Writes the record.
    #[inline]
    fn grant(
        &self,
        objects: Arc<Objects>,
        me: Owner,
        now: u64,
        info: Info<'_>,
    ) -> Result<Held, Box<Failure>> {
        let access = Access { objects: &objects, me };
        match done(protocol::drain(&access)) {
            Drained::Surplus(0) => {}
            Drained::Surplus(surplus) => self.report_surplus(surplus),
            Drained::TooMany(others) => {
                done(protocol::refuse(&access));
                // As the others find it, with the caller's own.
                return Err(Box::new(self.paths.overposted(others.saturating_add(1))));
            }
        }
        // Before its record is written over.
        let last = objects.page.last_grant();
        let recovered_from =
            if last.is_in_order() { None } else { self.look_who_died(&last).map(Box::new) };
        objects.page.write_grant(&self.name, now, info);
        Ok(Held { objects, me, generation: generation(), is_over: false, recovered_from })
    }

    /// Writes to the record how the hold ends, and gives the lock back.
    #[inline]
    fn give_back(&self, mut held: Held, write_end: impl FnOnce(&OwnedPage, u64)) {
        // To a tick of the kernel's clock: this is on the way of every release, which wins a fifth by it.
        let now = clock::monotonic_coarse();
        // The files may have been cut during the hold.
        let left = held.objects.left(now);
        if left != Left::Semaphore {
            // While the lock is still held: the next holder writes its own grant.
            write_end(&held.objects.page, now);
        }
        if !held.give_back(left) {
            crate::log::torn_away(&self.name);
        }
    }

    fn refusal(&self, look: Look) -> Failure {
        match (self.judge(), look) {
            (Ok(Standing::Held { holder }), _) => Failure::Busy(Some(*holder)),
            (Ok(Standing::Orphaned { last }), Look::Unknown) => {
                Failure::Orphaned(last.map(|last| *last))
            }
            (Err(_), Look::Unknown) => Failure::Orphaned(None),
            // It has changed hands since.
            _ => Failure::Busy(None),
        }
    }

    fn report_surplus(&self, units: u32) {
        crate::log::surplus_units(&self.name, units);
    }
}

impl Held {
    fn access(&self) -> Access<'_> {
        Access { objects: &self.objects, me: self.me }
    }

    /// Whether it was there to be given back, as far as there is something `left`.
    fn give_back(&mut self, left: Left) -> bool {
        self.is_over = true;
        let access = self.access();
        match left {
            Left::Both => {}
            // There is no semaphore to post. The next one is made when that file has been removed: its
            // holder must not find an owner that lives.
            Left::Record => return done(protocol::detach(&access)),
            // There is no word to clear, and only the process that has cleared it posts the unit.
            Left::Semaphore => return false,
        }
        done(protocol::give_back(&access))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A forked child does not hold what its parent holds.
        if !self.is_over && self.generation == generation() {
            self.give_back(self.objects.left(clock::monotonic_coarse()));
        }
    }
}
