//! The shared memory of the model, and a view of it that lets a process do one operation and stops it
//! before the next: so the very functions of the protocol run in every order there is.

use std::cell::{Cell, RefCell};

use super::super::protocol::{Memory, Sight};
use super::system::Sabotage;
use crate::record::owner::{Owner, Phase};

/// A text: whose it is, and which of its texts. 0 is the empty one.
pub(super) type Text = u8;

/// From here on they are foreign programs'.
pub(super) const FOREIGN: Text = 100;
/// An owner's that has yet to write it.
pub(super) const MARKED: Text = 98;
/// Half of one and half of another: its digest is nobody's.
pub(super) const TORN: Text = 99;

/// Which semaphore: the one there was, or the one made after its file was removed.
pub(super) type File = u8;

/// An owner word that no process has written.
pub(super) const RUBBISH: u64 = 7;

/// What all processes share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Shared {
    /// The units of each semaphore.
    pub(super) values: [u8; 2],
    /// Which one has the name.
    pub(super) named: File,
    pub(super) owner: u64,
    /// The owner that has signed, and for which semaphore.
    pub(super) signed: (u64, File),
    pub(super) text: Text,
    /// The text that the last owner wrote who wrote one.
    pub(super) recorded: Text,
    /// Whether the last grant has come to its end.
    pub(super) is_released: bool,
}

impl Shared {
    pub(super) fn text_is_an_owners(&self) -> bool {
        self.text == MARKED || self.text == self.recorded
    }

    pub(super) fn text_is_foreign(&self) -> bool {
        self.text >= FOREIGN
    }
}

/// What an operation returned.
pub(super) type Seen = u64;

/// What marks a text among what was seen. (A word has a phase in bits beyond.)
const TEXT: Seen = 1 << 32;

/// The text that was seen, if it was one.
pub(super) fn text_in(seen: Seen) -> Option<Text> {
    (seen & !Seen::from(Text::MAX) == TEXT).then(|| Text::try_from(seen & !TEXT).unwrap_or(TORN))
}

/// The process is stopped before its next operation.
#[derive(Debug)]
pub(super) struct Stopped;

/// Who does a step.
#[derive(Clone, Copy)]
pub(super) struct Actor<'a> {
    /// Whether the process of an owner word has died.
    pub(super) died: &'a dyn Fn(Owner) -> bool,
    pub(super) me: Owner,
    /// Which semaphore it has opened.
    pub(super) file: File,
    /// Whether files are removed at all. Where none are, a signature has nothing to tell.
    pub(super) signs: bool,
    pub(super) sabotage: Option<Sabotage>,
}

/// The memory for one step of a process: what it has seen since its routine began is told to it
/// again, then it does one operation, and then it is stopped.
pub(super) struct Step<'a> {
    shared: RefCell<&'a mut Shared>,
    actor: Actor<'a>,
    seen: &'a [Seen],
    next: Cell<usize>,
    fresh: Cell<Option<(Operation, Seen)>>,
}

/// Which operation was done: what the properties need to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    TryWait,
    Post,
    /// The owner word, from one to another.
    Swap(Owner, Owner),
    ReadText,
    Other,
}

impl<'a> Step<'a> {
    pub(super) fn new(shared: &'a mut Shared, actor: Actor<'a>, seen: &'a [Seen]) -> Self {
        Self { shared: shared.into(), actor, seen, next: Cell::new(0), fresh: Cell::new(None) }
    }

    /// What was done in this step.
    pub(super) fn done(&self) -> Option<(Operation, Seen)> {
        self.fresh.get()
    }

    pub(super) fn is_sabotaged_by(&self, sabotage: Sabotage) -> bool {
        self.actor.sabotage == Some(sabotage)
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

    /// What else a process reads, as a number.
    pub(super) fn read(&self, read: impl FnOnce(&Shared) -> bool) -> Result<bool, Stopped> {
        self.operation(Operation::Other, |shared| read(shared).into()).map(|seen| seen != 0)
    }

    /// What else a process writes.
    pub(super) fn write(&self, write: impl FnOnce(&mut Shared)) -> Result<(), Stopped> {
        let write = |shared: &mut Shared| {
            write(shared);
            0
        };
        self.operation(Operation::Other, write).map(drop)
    }

    /// The text as it is.
    pub(super) fn text(&self) -> Result<Text, Stopped> {
        let seen = self.operation(Operation::Other, |shared| TEXT | Seen::from(shared.text))?;
        Ok(text_in(seen).unwrap_or(TORN))
    }

    /// Changes the text, if it is `from` still. (Of a real one the first word is compared.)
    pub(super) fn swap_text(&self, from: Text, to: Text) -> Result<bool, Stopped> {
        let swap = |shared: &mut Shared| {
            let is_from = shared.text == from;
            if is_from {
                shared.text = to;
            }
            is_from.into()
        };
        self.operation(Operation::Other, swap).map(|seen| seen != 0)
    }

    fn value_of<'s>(&self, shared: &'s mut Shared) -> &'s mut u8 {
        &mut shared.values[usize::from(self.actor.file)]
    }
}

impl Sight for Step<'_> {
    type Stop = Stopped;

    fn value(&self) -> Result<u32, Stopped> {
        let seen = self.operation(Operation::Other, |shared| (*self.value_of(shared)).into())?;
        Ok(u32::try_from(seen).unwrap())
    }

    fn owner(&self) -> Result<Owner, Stopped> {
        self.operation(Operation::Other, |shared| shared.owner).map(Owner)
    }

    fn is_dead(&self, owner: Owner) -> Result<bool, Stopped> {
        self.operation(Operation::Other, |_| (self.actor.died)(owner).into()).map(|seen| seen != 0)
    }

    fn text_is_an_owners(&self) -> Result<bool, Stopped> {
        let any = self.is_sabotaged_by(Sabotage::AnyText);
        let look = |shared: &mut Shared| (any || shared.text_is_an_owners()).into();
        self.operation(Operation::ReadText, look).map(|seen| seen != 0)
    }
}

impl Memory for Step<'_> {
    fn me(&self) -> Owner {
        self.actor.me
    }

    fn try_wait(&self) -> Result<bool, Stopped> {
        let take = |shared: &mut Shared| {
            let value = self.value_of(shared);
            let has_unit = *value > 0;
            *value -= u8::from(has_unit);
            has_unit.into()
        };
        self.operation(Operation::TryWait, take).map(|seen| seen != 0)
    }

    fn post(&self) -> Result<(), Stopped> {
        let give = |shared: &mut Shared| {
            *self.value_of(shared) += 1;
            0
        };
        self.operation(Operation::Post, give).map(drop)
    }

    fn swap_owner(&self, from: Owner, to: Owner) -> Result<bool, Stopped> {
        let swap = |shared: &mut Shared| {
            let is_from = shared.owner == from.0 || self.is_sabotaged_by(Sabotage::PlainStore);
            if is_from {
                shared.owner = to.0;
            }
            is_from.into()
        };
        self.operation(Operation::Swap(from, to), swap).map(|seen| seen != 0)
    }

    fn mark_text(&self) -> Result<(), Stopped> {
        let [late, never] =
            [Sabotage::MarkAfterTheWord, Sabotage::NoMark].map(|by| self.is_sabotaged_by(by));
        if late || never {
            return Ok(());
        }
        self.write(|shared| shared.text = MARKED)
    }

    fn sign(&self) -> Result<(), Stopped> {
        if !self.actor.signs {
            return Ok(());
        }
        let owner = self.actor.me.that(Phase::Holds);
        self.write(|shared| shared.signed = (owner.0, self.actor.file))
    }

    fn unsign(&self) -> Result<(), Stopped> {
        self.write(|shared| shared.signed = (0, 0))
    }

    fn has_signed(&self, owner: Owner) -> Result<bool, Stopped> {
        if !self.actor.signs || self.is_sabotaged_by(Sabotage::OneSemaphore) {
            return Ok(true);
        }
        self.read(|shared| shared.signed == (owner.0, self.actor.file))
    }

    fn is_named(&self) -> Result<bool, Stopped> {
        if !self.actor.signs || self.is_sabotaged_by(Sabotage::AnySuccessor) {
            return Ok(true);
        }
        self.read(|shared| shared.named == self.actor.file)
    }
}
