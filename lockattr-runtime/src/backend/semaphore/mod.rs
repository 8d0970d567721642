//! The semaphore backend: the process that has the unit of the POSIX semaphore `/NAME` holds the lock, and
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
mod pulse;
mod trust;
mod turnstile;

use std::io;
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
use crate::sys::process::Process;
use crate::sys::shelf::{Loan, Shelf};
use crate::sys::socket::Owned;
use crate::sys::thread::{current, Thread};
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
    objects: Shelf<Objects>,
    /// Counts acquisitions: see [`Owner::in_turn`].
    turns: AtomicU64,
}

/// The lock, in a holder's hand.
#[derive(Debug)]
pub(crate) struct Held {
    objects: By,
    me: Owner,
    recovered_from: Option<Box<Holder>>,
    granted: u64,
}

/// The files that a lock was taken by, whatever has become of their names.
#[derive(Debug)]
enum By {
    /// Those that the lock keeps: the hold of a process that found it free counts no reference.
    Kept(Loan),
    Counted(Arc<Objects>),
}

impl RawLock for Semaphore {
    type Held = Held;

    #[inline]
    fn acquire_at_once(&self, now: u64, info: Info<'_>, thread: Thread) -> Option<Held> {
        let objects = self.objects.peek(thread.generation)?;
        if !objects.are_whole(now) {
            return None;
        }
        let me = Writer::known(thread.generation)?.word.in_turn(self.next_turn());
        if !self.takes_at_once(objects, me) {
            return None;
        }
        let recovered_from = self.grant(objects, me, now, info, thread).ok()?;
        Some(Held { objects: By::Kept(Loan::of(objects)), me, recovered_from, granted: now })
    }

    fn acquire(&self, deadline: Deadline<'_>, info: Info<'_>) -> Result<Held, Box<Failure>> {
        let (objects, me) = self.begin(deadline)?;
        if self.takes_at_once(&objects, me) {
            return self.hold(objects, me, deadline.start(), info);
        }
        self.conclude(Attempt::new(self, objects, me, deadline).wait()?, me, info)
    }

    #[cfg(feature = "async")]
    async fn acquire_async(
        &self,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> Result<Held, Box<Failure>> {
        let (objects, me) = self.begin(deadline)?;
        if self.takes_at_once(&objects, me) {
            return self.hold(objects, me, deadline.start(), info);
        }
        self.conclude(Attempt::new(self, objects, me, deadline).wait_async().await?, me, info)
    }

    #[inline]
    fn release(&self, held: &mut Held) {
        self.give_back(held, OwnedPage::write_release);
    }

    fn abandon(&self, held: &mut Held) {
        self.give_back(held, |page, _| page.write_abandonment());
    }

    fn check_detach(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn detach(&self, held: &mut Held) {
        let is_detached = self.objects_of(held).is_some_and(|objects| {
            // The semaphore is left as it is.
            objects.left(clock::monotonic_coarse()) != Left::Semaphore && {
                objects.page.write_detachment();
                done(protocol::detach(&Access::new(objects, held.me)))
            }
        });
        if !is_detached {
            crate::tell::torn_away(&self.name);
        }
    }

    fn granted(held: &Held) -> u64 {
        held.granted
    }

    fn descriptor(_: &Held) -> Result<Owned, Failure> {
        let reason = "a semaphore has none, and cannot outlive its process";
        Err(Failure::unsupported("leave it to a descriptor", reason))
    }

    fn keep(&self, held: &mut Held) {
        self.release(held); // never: it has no descriptor
    }

    fn remove(&self, held: &mut Held) {
        let Some(objects) = self.objects_of(held) else { return };
        objects.doubt();
        // Looked at before: what has lost its name is not seen to be cut, and its word not touched.
        let left = objects.left(clock::monotonic_coarse());
        objects.unlink();
        // No unit is posted: nobody takes what was removed. Nor is there an owner whose death would free it.
        if left != Left::Semaphore {
            done(protocol::detach(&Access::new(objects, held.me)));
        }
        objects.doubt();
    }

    fn recovered_from(held: &Held) -> Option<&Holder> {
        held.recovered_from.as_deref()
    }

    fn standing(&self) -> Result<Standing, Failure> {
        self.judge(MOMENT)
    }

    fn set_info(&self, held: Option<&Held>, info: Info<'_>) -> Result<(), Failure> {
        let opened;
        let objects = if let Some(held) = held {
            self.objects_of(held)
        } else {
            opened = self.open(clock::monotonic_coarse()).map_err(|failure| *failure)?.0;
            Some(&*opened)
        };
        let objects =
            objects.filter(|objects| objects.left(clock::monotonic_coarse()) != Left::Semaphore);
        let _gate = fork::gate().map_err(Failure::io("enter the library"))?;
        let is_written = objects.is_some_and(|objects| {
            // A program may have released the lock by force, and another one have taken it: its text is the
            // only sign.
            let is_own = objects.page.owner().process() == Writer::this().word.process();
            is_own && objects.page.write_info(info)
        });
        if is_written {
            return Ok(());
        }
        let reason = "another program has written over the lock's record";
        Err(Failure::io("write the text")(io::Error::other(reason)))
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
        Ok(self.standing()?.into_holder())
    }

    fn last_holder(&self) -> Result<Option<Holder>, Failure> {
        Ok(self.standing()?.into_last_holder())
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
        let objects = match self.opened(clock::monotonic()).map_err(|why| *why)? {
            Some(objects) => objects,
            None => self.open_anew().map_err(|why| *why)?,
        };
        let me = Writer::this().word.in_turn(self.next_turn());
        Ok(done(protocol::force(&Access::new(&objects, me))))
    }
}

impl Semaphore {
    /// Opens nothing: that happens at the first acquire. `name` has been checked.
    pub(super) fn new(name: &str, mode: u32) -> Self {
        Self {
            name: name.into(),
            paths: Paths::new(name).into(),
            mode,
            objects: Shelf::default(),
            turns: AtomicU64::new(0),
        }
    }

    /// What an acquisition works with: the files, and its own word.
    fn begin(&self, deadline: Deadline<'_>) -> Result<(Arc<Objects>, Owner), Box<Failure>> {
        let (objects, process) = self.open(deadline.start())?;
        Ok((objects, process.in_turn(self.next_turn())))
    }

    #[inline]
    fn next_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// The files, opened, or opened again if somebody removed or cut them; and this process's word.
    fn open(&self, now: u64) -> Result<(Arc<Objects>, Owner), Box<Failure>> {
        let me = Writer::this().word;
        match self.opened(now)? {
            Some(objects) => Ok((objects, me)),
            None => Ok((self.open_first()?, me)),
        }
    }

    /// The files, if they are open and nobody has removed or cut them.
    fn opened(&self, now: u64) -> Result<Option<Arc<Objects>>, Box<Failure>> {
        let newest = self.objects.newest(&mut *gate()?);
        Ok(newest.filter(|objects| objects.are_whole(now)))
    }

    #[cold]
    fn open_first(&self) -> Result<Arc<Objects>, Box<Failure>> {
        beside::check(&self.name, Backend::Semaphore)?;
        self.open_anew()
    }

    #[cold]
    fn open_anew(&self) -> Result<Arc<Objects>, Box<Failure>> {
        // Outside of the gate, as it may take a while. Another thread may do the same.
        let this = Process::this();
        let opened = Objects::open(&self.paths, self.mode, |owner| judge::can_be(owner, this))?;
        let left = opened.page.left_before_exec(this);
        if left.is_some() {
            // Unless another copy of this library in this program is just about to write its record.
            thread::sleep(MOMENT);
        }
        let mut gate = gate()?;
        // Nothing but this state takes the lock for this program, and it has not yet: what stands
        // there with this process's word was left before `exec`.
        match left {
            Some(left)
                if self.objects.newest(&mut gate).is_none()
                    && opened.page.left_before_exec(this) == Some(left) =>
            {
                opened.page.swap_owner(left, left.left_before_exec());
            }
            _ => {}
        }
        let (objects, outdated) = self.objects.put(&mut gate, opened);
        drop(gate);
        drop(outdated);
        Ok(objects)
    }

    /// The way of nearly every acquire.
    #[inline]
    fn takes_at_once(&self, objects: &Objects, me: Owner) -> bool {
        let access = Access::new(objects, me);
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
                let granted = self.hold(objects, me, clock::monotonic(), info);
                // The next one is to be in the semaphore before the lock is given back.
                drop(turnstile);
                granted
            }
            Waited::Refused(look) => Err(Box::new(self.refusal(look))),
        }
    }

    /// The caller owns the lock.
    fn hold(
        &self,
        objects: Arc<Objects>,
        me: Owner,
        now: u64,
        info: Info<'_>,
    ) -> Result<Held, Box<Failure>> {
        match self.grant(&objects, me, now, info, current()) {
            Ok(recovered_from) => {
                Ok(Held { objects: By::Counted(objects), me, recovered_from, granted: now })
            }
            // As the others find it, with the caller's own.
            Err(Overposted(others)) => {
                Err(Box::new(self.paths.overposted(others.saturating_add(1))))
            }
        }
    }

    /// The caller owns the lock. Writes the record; who held the lock before, if that process died. If there are
    /// too many units, the caller owns the lock no more.
    #[allow(clippy::inline_always)] // apart, it would hand back through memory what its callers look at: 3 %
    #[inline(always)]
    fn grant(
        &self,
        objects: &Objects,
        me: Owner,
        now: u64,
        info: Info<'_>,
        thread: Thread,
    ) -> Result<Option<Box<Holder>>, Overposted> {
        let access = Access::new(objects, me);
        match done(protocol::drain(&access)) {
            Drained::Surplus(0) => {}
            Drained::Surplus(surplus) => self.report_surplus(surplus),
            Drained::TooMany(others) => {
                done(protocol::refuse(&access));
                return Err(Overposted(others));
            }
        }
        // Before its record is written over.
        let is_in_order = objects.page.is_in_order();
        let recovered_from = if is_in_order { None } else { self.recovered_from_last(objects) };
        objects.page.write_grant(&self.name, now, info, thread);
        Ok(recovered_from)
    }

    #[cold]
    fn recovered_from_last(&self, objects: &Objects) -> Option<Box<Holder>> {
        self.look_who_died(&objects.page.last_grant()).map(Box::new)
    }

    /// Writes to the record how the hold ends, and gives the lock back.
    #[inline]
    fn give_back(&self, held: &Held, write_end: impl FnOnce(&OwnedPage, u64)) {
        let is_given = match self.objects_of(held) {
            Some(objects) => give_back(objects, held.me, write_end),
            None => false,
        };
        if !is_given {
            crate::tell::torn_away(&self.name);
        }
    }

    /// The files that a lock was taken by.
    #[inline]
    fn objects_of<'a>(&'a self, held: &'a Held) -> Option<&'a Objects> {
        match &held.objects {
            By::Kept(loan) => self.objects.find(*loan),
            By::Counted(objects) => Some(objects),
        }
    }

    fn refusal(&self, look: Look) -> Failure {
        match (self.judge(Duration::ZERO), look) {
            (Ok(Standing::Held { holder }), _) => Failure::Busy(Some(*holder)),
            (Ok(Standing::Orphaned { last }), Look::Unknown) => {
                Failure::Orphaned(last.map(|last| *last))
            }
            (Err(_), Look::Unknown) => Failure::Orphaned(None),
            // It has changed hands since.
            _ => Failure::Busy(None),
        }
    }

    #[cold]
    fn report_surplus(&self, units: u32) {
        crate::tell::surplus_units(&self.name, units);
    }
}

fn gate() -> Result<fork::Guard, Box<Failure>> {
    Ok(fork::gate().map_err(Failure::io("enter the library"))?)
}

/// As many units beside the caller's as no mistake makes.
struct Overposted(u32);

/// Gives back what `me` holds; whether it was there to be given back, as far as the files are.
#[inline]
fn give_back(objects: &Objects, me: Owner, write_end: impl FnOnce(&OwnedPage, u64)) -> bool {
    // To a tick of the kernel's clock: this is on the way of every release, which wins a fifth by it.
    let now = clock::monotonic_coarse();
    let access = Access::new(objects, me);
    // The files may have been cut during the hold.
    match objects.left(now) {
        Left::Both => {
            // While the lock is still held: the next holder writes its own grant.
            write_end(&objects.page, now);
            done(protocol::give_back(&access))
        }
        // There is no semaphore to post. The next one is made when that file has been removed: its
        // holder must not find an owner that lives.
        Left::Record => {
            write_end(&objects.page, now);
            done(protocol::detach(&access))
        }
        // There is no word to clear, and only the process that has cleared it posts the unit.
        Left::Semaphore => false,
    }
}
