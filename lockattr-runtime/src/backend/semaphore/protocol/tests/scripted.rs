//! A memory of which a test says what is in it, and what others do in between.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;

use super::super::{Memory, Sight};
use crate::record::owner::{Owner, Phase};

/// An operation of the protocol on the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Value,
    Owner,
    IsDead,
    Text,
    TryWait,
    Post,
    Swap,
    Mark,
    Sign,
    Unsign,
    HasSigned,
    IsNamed,
}

/// What others do before an operation.
type Interference = (Step, fn(&Scripted));

pub(super) struct Scripted {
    pub(super) value: Cell<u32>,
    pub(super) owner: Cell<Owner>,
    /// The process that has ended.
    pub(super) dead: Cell<Owner>,
    pub(super) text_is_an_owners: Cell<bool>,
    /// Who has signed for the caller's semaphore.
    pub(super) signed: Cell<Owner>,
    pub(super) is_named: Cell<bool>,
    interference: Cell<Option<Interference>>,
    steps: RefCell<Vec<Step>>,
}

/// Process number `pid`, in no phase.
pub(super) const fn process(pid: u64) -> Owner {
    Owner(pid)
}

pub(super) const ME: Owner = process(1);

pub(super) fn holds(pid: u64) -> Owner {
    process(pid).that(Phase::Holds)
}

pub(super) fn claims(pid: u64) -> Owner {
    process(pid).that(Phase::Claims)
}

impl Scripted {
    /// A lock with the word `owner`, which all know by its name, under an owner's text.
    pub(super) fn new(value: u32, owner: Owner) -> Self {
        Self {
            value: value.into(),
            owner: owner.into(),
            dead: Owner::NOBODY.into(),
            text_is_an_owners: true.into(),
            signed: Owner::NOBODY.into(),
            is_named: true.into(),
            interference: None.into(),
            steps: RefCell::default(),
        }
    }

    /// Whose owner has signed for the caller's semaphore.
    pub(super) fn signed(self) -> Self {
        self.signed.set(self.owner.get());
        self
    }

    /// Whose owner has ended.
    pub(super) fn dead(self) -> Self {
        self.dead.set(self.owner.get());
        self
    }

    /// Whose semaphore's file was removed.
    pub(super) fn unnamed(self) -> Self {
        self.is_named.set(false);
        self
    }

    /// With a foreign program's text.
    pub(super) fn foreign(self) -> Self {
        self.text_is_an_owners.set(false);
        self
    }

    /// Before the next `step` comes, others do this.
    pub(super) fn before(self, step: Step, interference: fn(&Self)) -> Self {
        self.again(step, interference);
        self
    }

    /// As [`before`](Self::before), of one that is there already.
    pub(super) fn again(&self, step: Step, interference: fn(&Self)) {
        self.interference.set(Some((step, interference)));
    }

    /// What is left: the units and the word.
    pub(super) fn left(&self) -> (u32, Owner) {
        (self.value.get(), self.owner.get())
    }

    /// The operations that change something, in their order.
    pub(super) fn changes(&self) -> Vec<Step> {
        use Step::{Mark, Post, Sign, Swap, TryWait, Unsign};

        let changes = [TryWait, Post, Swap, Mark, Sign, Unsign];
        self.steps.borrow().iter().copied().filter(|step| changes.contains(step)).collect()
    }

    /// All operations, in their order.
    pub(super) fn steps(&self) -> Vec<Step> {
        self.steps.borrow().clone()
    }

    fn step(&self, step: Step) {
        if let Some((when, interference)) = self.interference.take() {
            if when == step {
                interference(self);
            } else {
                self.interference.set(Some((when, interference)));
            }
        }
        self.steps.borrow_mut().push(step);
    }
}

impl Sight for Scripted {
    type Stop = Infallible;

    fn value(&self) -> Result<u32, Infallible> {
        self.step(Step::Value);
        Ok(self.value.get())
    }

    fn owner(&self) -> Result<Owner, Infallible> {
        self.step(Step::Owner);
        Ok(self.owner.get())
    }

    fn is_dead(&self, owner: Owner) -> Result<bool, Infallible> {
        self.step(Step::IsDead);
        Ok(owner == self.dead.get())
    }

    fn text_is_an_owners(&self) -> Result<bool, Infallible> {
        self.step(Step::Text);
        Ok(self.text_is_an_owners.get())
    }
}

impl Memory for Scripted {
    fn me(&self) -> Owner {
        ME
    }

    fn try_wait(&self) -> Result<bool, Infallible> {
        self.step(Step::TryWait);
        let value = self.value.get();
        self.value.set(value.saturating_sub(1));
        Ok(value > 0)
    }

    fn post(&self) -> Result<(), Infallible> {
        self.step(Step::Post);
        self.value.set(self.value.get() + 1);
        Ok(())
    }

    fn swap_owner(&self, from: Owner, to: Owner) -> Result<bool, Infallible> {
        self.step(Step::Swap);
        let is_from = self.owner.get() == from;
        if is_from {
            self.owner.set(to);
        }
        Ok(is_from)
    }

    fn mark_text(&self) -> Result<(), Infallible> {
        self.step(Step::Mark);
        self.text_is_an_owners.set(true);
        Ok(())
    }

    fn sign(&self) -> Result<(), Infallible> {
        self.step(Step::Sign);
        self.signed.set(ME.that(Phase::Holds));
        Ok(())
    }

    fn unsign(&self) -> Result<(), Infallible> {
        self.step(Step::Unsign);
        self.signed.set(Owner::NOBODY);
        Ok(())
    }

    fn has_signed(&self, owner: Owner) -> Result<bool, Infallible> {
        self.step(Step::HasSigned);
        Ok(owner == self.signed.get())
    }

    fn is_named(&self) -> Result<bool, Infallible> {
        self.step(Step::IsNamed);
        Ok(self.is_named.get())
    }
}
