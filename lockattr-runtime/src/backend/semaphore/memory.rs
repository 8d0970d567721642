//! The protocol's memory, in the lock's two files.

use std::convert::Infallible;

use super::judge;
use super::objects::Objects;
use super::protocol::{Memory, Sight};
use super::pulse::Pulse;
use crate::record::owner::{Owner, Phase};
use crate::sys::process::Process;

/// The shared memory in the hands of one acquisition.
pub(super) struct Access<'a> {
    pub(super) objects: &'a Objects,
    /// See [`Memory::me`].
    pub(super) me: Owner,
    /// Of one who looks again and again.
    pub(super) pulse: Option<&'a Pulse>,
}

impl<'a> Access<'a> {
    #[inline]
    pub(super) fn new(objects: &'a Objects, me: Owner) -> Self {
        Self { objects, me, pulse: None }
    }
}

/// Nothing stops a process here.
pub(super) fn done<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

impl Sight for Access<'_> {
    type Stop = Infallible;

    fn value(&self) -> Result<u32, Infallible> {
        Ok(self.objects.semaphore.value())
    }

    fn owner(&self) -> Result<Owner, Infallible> {
        Ok(self.objects.page.owner())
    }

    fn is_dead(&self, owner: Owner) -> Result<bool, Infallible> {
        let judge = || judge::is_dead(owner, Process::this(), &self.objects.page);
        Ok(match self.pulse {
            Some(pulse) => pulse.is_dead(owner, judge),
            None => judge(),
        })
    }

    fn text_is_an_owners(&self) -> Result<bool, Infallible> {
        Ok(self.objects.page.text_is_an_owners())
    }
}

impl Memory for Access<'_> {
    fn me(&self) -> Owner {
        self.me
    }

    fn try_wait(&self) -> Result<bool, Infallible> {
        Ok(self.objects.semaphore.try_wait())
    }

    fn post(&self) -> Result<(), Infallible> {
        // Fails where somebody has posted billions of units: one more would change nothing.
        let _ = self.objects.semaphore.post();
        Ok(())
    }

    fn swap_owner(&self, from: Owner, to: Owner) -> Result<bool, Infallible> {
        Ok(self.objects.page.swap_owner(from, to))
    }

    fn mark_text(&self) -> Result<(), Infallible> {
        self.objects.page.mark_text();
        Ok(())
    }

    fn sign(&self) -> Result<(), Infallible> {
        let owner = self.me.that(Phase::Holds);
        self.objects.page.sign(owner, self.objects.semaphore_inode());
        Ok(())
    }

    fn unsign(&self) -> Result<(), Infallible> {
        self.objects.page.unsign();
        Ok(())
    }

    fn has_signed(&self, owner: Owner) -> Result<bool, Infallible> {
        Ok(self.objects.page.has_signed(owner, self.objects.semaphore_inode()))
    }

    fn is_named(&self) -> Result<bool, Infallible> {
        Ok(self.objects.semaphore_is_named())
    }
}
