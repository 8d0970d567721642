//! The TCP backend: the process that has two of a lock's three ports at 127.0.0.1 holds the lock.
//!
//! ```text
//! holder     bind two of three, listen on both      … body …      close
//! waiter     bind fails twice, connect to both, poll
//! ```
//!
//! The ports are k3portlock's, and so is the rule: it binds the same ports where there are no abstract unix
//! sockets, without `SO_REUSEADDR`, and holds if it has two. Of three ports two processes never have two each.
//! What was bound by a process is free when its last descriptor is closed, by the process or by the kernel.
//!
//! k3portlock does not listen, and looks every 10 ms. A holder of lockattr listens, and accepts nothing. A waiter
//! connects and stays in the backlog; when the listener is closed, or its process dies, the kernel resets the
//! connection, which wakes the waiter. A connection that was accepted would keep the port taken after its end
//! (`TIME_WAIT`), and so lock k3portlock out.
//!
//! On Linux one waiter at a time is there, and the others queue for that ([`turn`]). Elsewhere all are, and race again:
//! the kernel resets the oldest connection first, each waiter lets those go first that have lost more often
//! ([`Attempt::courtesy`](attempt::Attempt)), and one that has just released lets all go first. That makes an order, which
//! is not promised.
//!
//! A try that finds two ports refused lets go of what it had, so there is no dead end for processes that have one
//! each: they try again, at different times ([`chance`]).

mod attempt;
#[cfg(feature = "async")]
mod attempt_async;
mod blame;
mod chance;
#[cfg(test)]
mod model;
mod observe;
mod ports;
mod race;
pub(crate) mod remembered;
mod sha1;
mod table;
mod taken;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod turn;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "no_turn.rs"]
mod turn;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::look::Time;
#[cfg(any(target_os = "linux", target_os = "android"))]
use super::queue::Queue;
use super::{beside, past, Failure, RawLock};
use crate::deadline::Deadline;
use crate::holder::Holder;
use crate::info::Info;
use crate::kind::Backend;
use crate::name;
use crate::record::{self, Record};
use crate::sys::clock;
use crate::sys::errno;
use crate::sys::limit::Limit;
use crate::sys::socket::{bundle, Owned};
use ports::{Ports, COUNT};
use taken::Taken;

/// A lock by two of three ports.
#[derive(Debug)]
pub(crate) struct Tcp {
    name: Box<str>,
    /// What the record goes by: the name, and what tells it from the record of a port lock.
    key: Box<str>,
    ports: Ports,
    record: Record,
    /// Until when this process lets others go first, by the monotonic clock.
    makes_way: AtomicU64,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    queue: Box<Queue>,
    /// Until when this process does not queue, by the monotonic clock.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    unordered_until: AtomicU64,
    /// The look for a holder under another backend, before the first acquire.
    beside: beside::Once,
}

/// The lock, in a holder's hand.
#[derive(Debug)]
pub(crate) struct Held {
    /// None once it is given away. Boxed: the guards of all backends are as large as the largest.
    taken: Option<Box<Taken>>,
    /// Where the grant was written, and the release will be.
    page: Arc<record::Page>,
    recovered_from: Option<Box<Holder>>,
    granted: u64,
}

impl RawLock for Tcp {
    type Held = Held;

    fn acquire(&self, deadline: Deadline<'_>, info: Info<'_>) -> Result<Held, Box<Failure>> {
        self.beside.check(&self.name, Backend::Tcp)?;
        let outcome = self.wait(deadline)?;
        Ok(self.conclude(outcome, deadline, info)?)
    }

    #[cfg(feature = "async")]
    async fn acquire_async(
        &self,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> Result<Held, Box<Failure>> {
        self.beside.check(&self.name, Backend::Tcp)?;
        let outcome = self.wait_async(deadline).await?;
        Ok(self.conclude(outcome, deadline, info)?)
    }

    fn release(&self, held: &mut Held) {
        // While the lock is still held: the next holder writes its own grant.
        held.page.write_release();
        self.give(held);
    }

    fn abandon(&self, held: &mut Held) {
        held.page.write_abandonment();
        self.give(held);
    }

    fn check_detach(&self) -> Result<(), Failure> {
        let reason = "a TCP lock is held by a process, and ends with it";
        Err(Failure::unsupported("leave it taken", reason))
    }

    fn detach(&self, held: &mut Held) {
        self.release(held);
    }

    fn granted(held: &Held) -> u64 {
        held.granted
    }

    /// One for both sockets.
    fn descriptor(held: &Held) -> Result<Owned, Failure> {
        let operation = "copy its descriptors";
        match &held.taken {
            Some(taken) => {
                let [one, other] = taken.listeners();
                bundle([one.descriptor(), other.descriptor()]).map_err(Failure::io(operation))
            }
            None => Err(Failure::io(operation)(io::Error::from_raw_os_error(errno::EBADF))),
        }
    }

    fn keep(&self, held: &mut Held) {
        held.page.write_kept();
        // The kernel tells those who wait when the last copy goes.
        drop(held.taken.take());
    }

    fn remove(&self, held: &mut Held) {
        record::remove(&self.key);
        self.give(held);
    }

    fn recovered_from(held: &Held) -> Option<&Holder> {
        held.recovered_from.as_deref()
    }

    fn check_record(&self, held: &Held) -> Result<(), Failure> {
        past::check_record(&self.record, &held.page)
    }

    fn set_info(&self, held: Option<&Held>, info: Info<'_>) -> Result<(), Failure> {
        past::set_info(&self.record, held.map(|held| &held.page), info)
    }

    fn own_hold(&self) -> Option<Holder> {
        past::own_hold(&self.key)
    }

    fn is_locked(&self) -> Result<bool, Failure> {
        let is_locked = self.look_whether_locked(Time::Ample)?;
        if !is_locked {
            past::check_elsewhere(&self.key, |_| true)?;
        }
        Ok(is_locked)
    }

    fn holder(&self) -> Result<Option<Holder>, Failure> {
        let holder = self.look_who_holds(Time::Ample)?;
        if holder.is_none() {
            past::check_elsewhere(&self.key, |_| true)?;
        }
        Ok(holder)
    }

    fn last_holder(&self) -> Result<Option<Holder>, Failure> {
        past::last_holder(&self.key, || self.look_whether_locked(Time::Ample))
    }

    fn force_release(&self) -> Result<bool, Failure> {
        if !self.is_locked()? {
            return Ok(false);
        }
        let reason = "only its holder can let go of a TCP lock, by releasing it or by its end";
        Err(Failure::unsupported("release it by force", reason))
    }
}

impl Tcp {
    /// `name` has been checked.
    pub(super) fn new(name: &str) -> Self {
        let key: Box<str> = [name, name::TCP_RECORD].concat().into();
        Self {
            name: name.into(),
            ports: Ports::of(name),
            record: Record::new(&key),
            key,
            makes_way: AtomicU64::new(0),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            queue: Box::new(Queue::of_tcp(name)),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            unordered_until: AtomicU64::new(0),
            beside: beside::Once::default(),
        }
    }

    /// The holder, as far as it is found until then without a try for a port.
    pub(super) fn holder_until(&self, end: Instant) -> Option<Holder> {
        let time = Time::Brief(Limit::at(end));
        self.find_holder(time).1
    }

    fn conclude(
        &self,
        outcome: Result<Taken, [bool; COUNT]>,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> Result<Held, Failure> {
        match outcome {
            Ok(taken) => self.grant(taken, info),
            Err(refused) => Err(self.blame(refused, deadline)),
        }
    }

    /// Two ports are this process's: the lock is held from here on. Writes the record.
    fn grant(&self, taken: Taken, info: Info<'_>) -> Result<Held, Failure> {
        let page = self.record.page();
        let network = taken.listeners()[0].network();
        let recovered_from = past::take_over(&self.key, &page, network, |_| false)?;
        let granted = clock::monotonic();
        page.write_grant(&self.key, network, granted, info);
        Ok(Held { taken: Some(Box::new(taken)), page, recovered_from, granted })
    }

    /// Frees the ports. If somebody waits, this process does not take them again at once, while those that were
    /// woken are on their way.
    fn give(&self, held: &mut Held) {
        /// So long it takes to wake some processes, and their courtesy.
        const WAY: Duration = Duration::from_micros(500);

        let Some(taken) = held.taken.take() else { return };
        if taken.is_waited_for() {
            let way = u64::try_from(WAY.as_nanos()).unwrap_or(0);
            self.makes_way.store(clock::monotonic().saturating_add(way), Ordering::Relaxed);
        }
        drop(taken);
    }

    /// For how long to let others go first.
    fn makes_way(&self) -> Option<Duration> {
        let until = self.makes_way.load(Ordering::Relaxed);
        if until == 0 {
            return None;
        }
        let left = until.saturating_sub(clock::monotonic());
        (left != 0).then_some(Duration::from_nanos(left))
    }
}
