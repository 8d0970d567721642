//! The shared memory of the model, and a view of it that lets a process do one operation and stops it
//! before the next: so the very functions of the protocol run in every order there is.

use std::cell::{Cell, RefCell};

use super::super::protocol::{Memory, Sight};
use super::system::Sabotage;
use crate::record::owner::Owner;

/// A text: whose it is, and which of his. 0 is the empty one.
pub(super) type Text = u8;

/// What all processes share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Shared {
    /// The units of the semaphore.
    pub(super) value: u32,
    pub(super) owner: u64,
    pub(super) text: Text,
    /// The text that the last owner wrote who wrote one.
    pub(super) recorded: Text,
}

/// What an operation returned.
pub(super) type Seen = u64;

/// The process is stopped before its next operation.
#[derive(Debug)]
pub(super) struct Stopped;

/// The memory for one step of a process: what it has seen since its routine began is told to it
/// again, then it does one operation, and then it is stopped.
pub(super) struct Step<'a> {
    shared: RefCell<&'a mut Shared>,
    /// Whether the process of an owner word has died.
    died: &'a dyn Fn(Owner) -> bool,
    me: Owner,
    seen: &'a [Seen],
    sabotage: Option<Sabotage>,
    next: Cell<usize>,
    fresh: Cell<Option<(Operation, Seen)>>,
}

/// Which operation was done: what the properties need to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    TryWait,
    Post,
    SwapOwner,
    ReadText,
    Other,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        shared: &'a mut Shared,
        died: &'a dyn Fn(Owner) -> bool,
        me: Owner,
        seen: &'a [Seen],
        sabotage: Option<Sabotage>,
    ) -> Self {
        let shared = shared.into();
        Self { shared, died, me, seen, sabotage, next: Cell::new(0), fresh: Cell::new(None) }
    }

    /// What was done in this step.
    pub(super) fn done(&self) -> Option<(Operation, Seen)> {
        self.fresh.get()
    }

    fn operation(
        &self,
        what: Operation,
        work: impl FnOnce(&mut Shared) -> Seen,
    ) -> Result<Seen, Stopped> {
        let next = self.next.replace(self.next.get() + 1);
        if let Some(seen) = self.seen.get(next) {
            return Ok(*seen);
        }
        if self.fresh.get().is_some() {
            return Err(Stopped);
        }
        let seen = work(&mut self.shared.borrow_mut());
        self.fresh.set(Some((what, seen)));
        Ok(seen)
    }

    /// See `write::grant`: first the text, then what tells it from others.
    pub(super) fn write_text(&self, text: Text) -> Result<(), Stopped> {
        let write = |shared: &mut Shared| {
            shared.text = text;
            0
        };
        self.operation(Operation::Other, write).map(drop)
    }

    pub(super) fn record_text(&self, text: Text) -> Result<(), Stopped> {
        let write = |shared: &mut Shared| {
            shared.recorded = text;
            0
        };
        self.operation(Operation::Other, write).map(drop)
    }
}

impl Sight for Step<'_> {
    type Stop = Stopped;

    fn value(&self) -> Result<u32, Stopped> {
        let seen = self.operation(Operation::Other, |shared| shared.value.into())?;
        Ok(u32::try_from(seen).unwrap())
    }

    fn owner(&self) -> Result<Owner, Stopped> {
        self.operation(Operation::Other, |shared| shared.owner).map(Owner)
    }

    fn is_dead(&self, owner: Owner) -> Result<bool, Stopped> {
        self.operation(Operation::Other, |_| (self.died)(owner).into()).map(|seen| seen != 0)
    }

    fn text_is_an_owners(&self) -> Result<bool, Stopped> {
        let any = self.sabotage == Some(Sabotage::AnyText);
        let look = |shared: &mut Shared| (any || shared.text == shared.recorded).into();
        self.operation(Operation::ReadText, look).map(|seen| seen != 0)
    }
}

impl Memory for Step<'_> {
    fn me(&self) -> Owner {
        self.me
    }

    fn try_wait(&self) -> Result<bool, Stopped> {
        let take = |shared: &mut Shared| {
            let has_unit = shared.value > 0;
            shared.value -= u32::from(has_unit);
            has_unit.into()
        };
        self.operation(Operation::TryWait, take).map(|seen| seen != 0)
    }

    fn post(&self) -> Result<(), Stopped> {
        let give = |shared: &mut Shared| {
            shared.value += 1;
            0
        };
        self.operation(Operation::Post, give).map(drop)
    }

    fn swap_owner(&self, from: Owner, to: Owner) -> Result<bool, Stopped> {
        let swap = |shared: &mut Shared| {
            let is_from = shared.owner == from.0 || self.sabotage == Some(Sabotage::PlainStore);
            if is_from {
                shared.owner = to.0;
            }
            is_from.into()
        };
        self.operation(Operation::SwapOwner, swap).map(|seen| seen != 0)
    }
}
