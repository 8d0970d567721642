//! Looking at a lock without taking it: by reading its two files, which may not even be there.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use super::judge;
use super::memory::done;
use super::protocol::{self, Look, Sight};
use super::{Failure, Semaphore};
use crate::backend::ghost::SLICE;
use crate::backend::look::LOOKS;
use crate::holder::{Holder, KnownBy, Tenure};
use crate::record::owner::Owner;
use crate::record::{self, OwnedCopy, Snapshot};
use crate::standing::Standing;
use crate::sys::process::{self, Process};
use crate::sys::procfs;
use crate::sys::{semaphore, SEMAPHORE_BYTES};

/// What both files held.
struct Copy {
    value: u32,
    page: OwnedCopy,
    /// The last grant that the record tells of.
    last: Option<Snapshot>,
}

impl Sight for Copy {
    type Stop = Infallible;

    fn value(&self) -> Result<u32, Infallible> {
        Ok(self.value)
    }

    fn owner(&self) -> Result<Owner, Infallible> {
        Ok(self.page.owner())
    }

    fn is_dead(&self, owner: Owner) -> Result<bool, Infallible> {
        Ok(judge::is_dead(owner, Process::this(), &self.page))
    }

    fn text_is_an_owners(&self) -> Result<bool, Infallible> {
        Ok(self.page.text_is_an_owners())
    }
}

impl Copy {
    fn look(&self) -> Look {
        done(protocol::look(self))
    }

    /// What the record says of the owner, if it is about this one.
    fn recorded(&self, owner: Owner) -> Option<&Snapshot> {
        self.last.as_ref().filter(|last| last.is_about(owner) && !last.has_ended())
    }

    /// What there is to be seen of the lock changing hands.
    fn evidence(&self) -> (u32, Owner, Option<u64>) {
        (self.value, self.page.owner(), self.last.as_ref().map(Snapshot::grant))
    }

    /// The owner, with what the record says of it.
    fn describe(&self, owner: Owner) -> Holder {
        let recorded = self.recorded(owner);
        let this = &Process::this().identity;
        let recorded_here = self.page.recorded(owner).map(|it| it.identity.shares_pids_with(this));
        let is_here = recorded_here.unwrap_or_else(|| owner.is_in_space_of(this));
        let pid = is_here.then_some(owner.pid());
        let uid = pid.and_then(procfs::uid);
        match recorded {
            Some(recorded) => {
                let holder = recorded.present_holder(KnownBy::Record);
                Holder { uid: uid.or(holder.uid), ..holder }
            }
            // It is just writing it.
            None => Holder { pid, uid, command: pid.and_then(process::command), ..unknown() },
        }
    }

    fn standing(&self, look: Look) -> Standing {
        let last = || self.last_holder().map(Box::new);
        match look {
            Look::Free => Standing::Free { last: last() },
            Look::Left(_) => Standing::Left { last: last() },
            Look::Owned(owner) => Standing::held(self.describe(owner)),
            Look::Foreign => Standing::held(self.foreign(Tenure::Holds)),
            Look::Unknown => match self.detached() {
                Some(holder) => Standing::held(holder),
                None => Standing::Orphaned { last: last() },
            },
        }
    }

    /// Who has left the lock taken, if it is taken and nobody says by whom.
    fn detached(&self) -> Option<Holder> {
        self.last.as_ref()?.detached_holder()
    }

    /// The last holder, which holds no more.
    fn last_holder(&self) -> Option<Holder> {
        // Another program's text is younger than the record, whose grant would have gone over it.
        if !done(self.text_is_an_owners()) && self.page.text_has_time() {
            return Some(self.foreign(Tenure::Released));
        }
        self.last.as_ref().map(Snapshot::ended_holder)
    }

    /// A program that leaves a text alone.
    fn foreign(&self, tenure: Tenure) -> Holder {
        let (since, info) = self.page.foreign_text();
        // It says nothing about when it gave the lock back.
        let held_for =
            since.filter(|_| tenure == Tenure::Holds).and_then(|since| since.elapsed().ok());
        Holder { since, info, held_for, tenure, known_by: KnownBy::Text, ..unknown() }
    }
}

fn unknown() -> Holder {
    Holder::unknown(Tenure::Holds, KnownBy::Record)
}

impl Semaphore {
    /// Who has the lock, and how that is known. Whatever else is said about it agrees with this.
    ///
    /// The files are read one after the other, and the lock can change hands between them: an owner that has yet to write
    /// its record, a foreign program, a holder that died, and a lock without an owner are what they seem where all is the
    /// same at the next look. And between a holder's unit and its word there is a moment without an owner, which is given
    /// `patience` to pass, from the first look that finds it: the reader itself may be kept from running for longer.
    pub(super) fn judge(&self, patience: Duration) -> Result<Standing, Failure> {
        let (mut changes, mut before, mut since) = (0, None, Instant::now());
        loop {
            let Some(copy) = self.copy()? else { return Ok(Standing::free(None)) };
            let evidence = Some(copy.evidence());
            let is_new = before != evidence && changes < LOOKS;
            if is_new {
                (changes, before, since) = (changes + 1, evidence, Instant::now());
            }
            match copy.look() {
                Look::Owned(owner) if copy.recorded(owner).is_none() && is_new => {}
                Look::Foreign if is_new => {}
                // By its record the last holder died with it; or that one has just come.
                Look::Free if is_new && copy.last.as_ref().is_some_and(|it| !it.has_ended()) => {}
                Look::Unknown
                    if copy.detached().is_none() && (is_new || since.elapsed() < patience) =>
                {
                    thread::sleep(SLICE.min(patience));
                }
                look => return Ok(copy.standing(look)),
            }
        }
    }

    /// As [`judge`](Self::judge), without a description of the holder.
    pub(super) fn look_whether_locked(&self) -> Result<bool, Failure> {
        Ok(self.copy()?.is_some_and(|copy| !matches!(copy.look(), Look::Free | Look::Left(_))))
    }

    /// Who died with the lock, as the record tells: `last` is not in order.
    pub(super) fn look_who_died(&self, last: &record::Grant) -> Option<Holder> {
        let page = self.paths.open_page().ok();
        match page.and_then(|page| record::of_semaphore(&page, &self.name)) {
            Some(record) => {
                Some(record.ended_holder()).filter(|holder| holder.tenure.is_out_of_order())
            }
            // It died while it wrote its own.
            None => Some(last.dead_holder()),
        }
    }

    /// None where there is no semaphore: nobody has ever taken the lock.
    fn copy(&self) -> Result<Option<Copy>, Failure> {
        let Some(semaphore) = found(self.paths.open_semaphore())? else { return Ok(None) };
        let mut bytes = [0; SEMAPHORE_BYTES];
        semaphore.read_exact_at(&mut bytes, 0).map_err(Failure::io("read the lock's semaphore"))?;
        let (page, last) = match found(self.paths.open_page())? {
            Some(file) => {
                let page = OwnedCopy::read(&file).map_err(Failure::io("read the lock's record"))?;
                (page, record::of_semaphore(&file, &self.name))
            }
            None => (OwnedCopy::empty(), None),
        };
        Ok(Some(Copy { value: semaphore::value_in(&bytes), page, last }))
    }
}

fn found<T>(opened: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match opened {
        Err(Failure::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}
