//! The port backend: the process that owns the socket which listens at `\0/portlock/NAME` holds the lock.
//!
//! ```text
//! holder     socket, bind, listen            … body …            hand-off or close
//! waiter     socket, bind fails, bind to a name of its own, connect, poll
//! observer   socket, connect, SO_PEERCRED
//! ```
//!
//! The kernel lets one socket at a time be bound to an address, and frees the address when the last
//! descriptor of the socket is closed, by the holder or by the kernel after the holder's death. So
//! binding excludes, and excludes k3portlock too, which binds the same address and does not listen.
//!
//! The holder's accept queue is the queue of the waiters. At the release the holder passes the
//! listening socket itself to the first waiter ([`queue`](super::queue)), so the address is never free in between,
//! nobody can slip in, and the other waiters stay in the queue.

mod attempt;
#[cfg(feature = "async")]
mod attempt_async;
mod ghost;
#[cfg(test)]
mod model;
mod observe;
pub(crate) mod remembered;
mod table;

use std::io;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex};

use nix::libc;

use super::look::Time;
use super::queue::{Line, Queue};
use super::{beside, past, Failure, RawLock};
use crate::deadline::Deadline;
use crate::holder::{Holder, Tenure};
use crate::info::Info;
use crate::kind::Backend;
use crate::record::{self, Record};
use crate::sys::clock;
use crate::sys::socket::{peer, ForkSocket, Owned};
use observe::Observer;

/// A lock by a bound socket.
#[derive(Debug)]
pub(crate) struct Port {
    name: Box<str>,
    /// Its head holds the lock.
    queue: Box<Queue>,
    record: Record,
    /// A connection to the holder, kept from one look to the next: each new one would leave an entry
    /// in the holder's queue until the release.
    observer: Mutex<Option<Observer>>,
    /// The look for a holder under another backend, before the first acquire.
    beside: beside::Once,
}

/// The lock, in a holder's hand.
#[derive(Debug)]
pub(crate) struct Held {
    /// None once it is given away.
    listener: Option<ForkSocket>,
    /// Where the grant was written, and the release will be.
    page: Arc<record::Page>,
    recovered_from: Option<Box<Holder>>,
    granted: u64,
}

impl RawLock for Port {
    type Held = Held;

    fn acquire(&self, deadline: Deadline<'_>, info: Info<'_>) -> Result<Held, Box<Failure>> {
        self.beside.check(&self.name, Backend::Port)?;
        let listener = self.wait(deadline)?;
        Ok(self.conclude(listener, deadline, info)?)
    }

    #[cfg(feature = "async")]
    async fn acquire_async(
        &self,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> Result<Held, Box<Failure>> {
        self.beside.check(&self.name, Backend::Port)?;
        let listener = self.wait_async(deadline).await?;
        Ok(self.conclude(listener, deadline, info)?)
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
        let reason = "a port lock is held by a process, and ends with it";
        Err(Failure::unsupported("leave it taken", reason))
    }

    fn detach(&self, held: &mut Held) {
        self.release(held);
    }

    fn granted(held: &Held) -> u64 {
        held.granted
    }

    fn descriptor(held: &Held) -> Result<Owned, Failure> {
        let operation = "copy its descriptor";
        match &held.listener {
            Some(listener) => listener.as_fd().try_clone_to_owned().map_err(Failure::io(operation)),
            None => Err(Failure::io(operation)(io::Error::from_raw_os_error(libc::EBADF))),
        }
    }

    fn keep(&self, held: &mut Held) {
        held.page.write_kept();
        // Those in its queue stay there: they come when the last copy goes.
        drop(held.listener.take());
    }

    fn remove(&self, held: &mut Held) {
        record::remove(&self.name);
        self.give(held);
    }

    fn recovered_from(held: &Held) -> Option<&Holder> {
        held.recovered_from.as_deref()
    }

    fn set_info(&self, held: Option<&Held>, info: Info<'_>) -> Result<(), Failure> {
        past::set_info(&self.record, held.map(|held| &held.page), info)
    }

    fn check_record(&self, held: &Held) -> Result<(), Failure> {
        past::check_record(&self.record, &held.page)
    }

    fn own_hold(&self) -> Option<Holder> {
        past::own_hold(&self.name)
    }

    fn is_locked(&self) -> Result<bool, Failure> {
        let is_locked = self.is_bound()?;
        if !is_locked {
            self.check_elsewhere()?;
        }
        Ok(is_locked)
    }

    fn holder(&self) -> Result<Option<Holder>, Failure> {
        let holder = self.look_who_holds(Time::Ample).map_err(Failure::io("look who holds it"))?;
        if holder.is_none() {
            self.check_elsewhere()?;
        }
        Ok(holder)
    }

    fn last_holder(&self) -> Result<Option<Holder>, Failure> {
        past::last_holder(&self.name, || self.is_bound())
    }

    fn force_release(&self) -> Result<bool, Failure> {
        if !self.is_locked()? {
            return Ok(false);
        }
        let reason = "only its holder can let go of a port lock, by releasing it or by its end";
        Err(Failure::unsupported("release it by force", reason))
    }
}

impl Port {
    /// `name` has been checked, so its address exists.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            queue: Box::new(Queue::of_port(name)),
            record: Record::new(name),
            observer: Mutex::new(None),
            beside: beside::Once::default(),
        }
    }

    fn is_bound(&self) -> Result<bool, Failure> {
        self.look_whether_locked().map_err(Failure::io("look whether it is locked"))
    }

    fn check_elsewhere(&self) -> Result<(), Failure> {
        past::check_elsewhere(&self.name, |pid| table::is_bound_at(pid, &self.name, None))
    }

    fn conclude(
        &self,
        listener: Option<ForkSocket>,
        deadline: Deadline<'_>,
        info: Info<'_>,
    ) -> Result<Held, Failure> {
        match listener {
            Some(listener) => self.grant(listener, info),
            None => Err(Failure::Busy(self.best_known_holder(deadline))),
        }
    }

    /// The socket is this process's: the lock is held from here on. Writes the record.
    fn grant(&self, listener: ForkSocket, info: Info<'_>) -> Result<Held, Failure> {
        let page = self.record.page();
        let network = listener.network();
        let is_bound_at = |pid| table::is_bound_at(pid, &self.name, Some(listener.as_fd()));
        match past::take_over(&self.name, &page, network, is_bound_at) {
            Ok(recovered_from) => {
                let granted = clock::monotonic();
                page.write_grant(&self.name, network, granted, info);
                Ok(Held { listener: Some(listener), page, recovered_from, granted })
            }
            Err(failure) => {
                self.pass_on(listener);
                Err(failure)
            }
        }
    }

    fn give(&self, held: &mut Held) {
        if let Some(listener) = held.listener.take() {
            self.hand_off(listener, &held.page);
        }
    }

    /// Lets go of the lock: passes it to the first in the queue, or frees it. Whom it goes to is written down
    /// before it is sent, see [`Queue::hand_off`].
    fn hand_off(&self, listener: ForkSocket, page: &record::Page) {
        self.queue.hand_off(listener, |waiter| {
            let to = waiter.and_then(|waiter| peer(waiter).ok()?.pid);
            page.write_handed(&self.name, to);
        });
    }

    /// Whom to name in the error of a failed acquire.
    fn best_known_holder(&self, deadline: Deadline<'_>) -> Option<Holder> {
        let time = Time::after(deadline);
        // A program that only tries may do so in a loop, and each look over the socket can leave an
        // entry in the holder's queue: where the record names a living holder, that has to do.
        if deadline.is_now() {
            let page = self.record.page();
            if let Some(uid) = page.uid().filter(|_| page.last_grant_stands()) {
                // Our page may be one that was removed: then its grant stands for ever, and the record is another.
                let holder = record::read(&self.name, uid).map(|record| record.last_holder());
                if let Some(holder) = holder.filter(|holder| holder.tenure == Tenure::Holds) {
                    return Some(holder);
                }
            }
        }
        self.look_who_holds(time).ok().flatten()
    }
}

impl Line for &Port {
    fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Without a grant, so the record of the last one stays.
    fn pass_on(&self, listener: ForkSocket) {
        let page = self.record.page();
        // The kernel names this process since its `listen`.
        page.write_handed(&self.name, None);
        self.hand_off(listener, &page);
    }
}

#[cfg(test)]
mod tests;
