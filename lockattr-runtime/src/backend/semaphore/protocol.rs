//! Who owns the lock: the protocol, one operation on shared memory at a time.
//!
//! The functions here are all there is to it. The backend runs them in shared memory; the model
//! (`model.rs`, in the tests) runs these very functions, stops each process before each of its
//! operations, lets others go on and kills, in every order there is.
//!
//! Two things make up the lock. The semaphore has one *unit*: who takes it has the lock as far as
//! resourcelock's programs can tell. The *owner word* tells lockattr's processes apart: it goes from
//! nobody to an owner and back by compare-and-swap only.
//!
//! 1. At most one process is in the phase [`Phase::Holds`], and only that one is in its body: whatever
//!    the semaphore's value is, there are never two holders among lockattr's processes.
//! 2. An owner has a unit. It took it, or it inherited it from an owner that died with it. More units
//!    than one come of a forced release (resourcelock's `unget`); who takes one and finds an owner
//!    that lives has such a surplus in hand, and drops it.
//! 3. A word changes from one owner to another only if the first one is dead, or only claims. So a live
//!    holder's word is its own until it releases.
//!
//! What nobody can tell: a process that dies between taking a unit and writing the word, or between
//! clearing the word and posting the unit, leaves what a resourcelock program leaves that holds the
//! lock. Nobody takes it, until somebody releases it by force. It is a window of a few instructions.
//!
//! (To keep a word until the unit is posted does not help. A dead owner's word under a value of 0
//! would be one that has not posted, or one whose unit a live process has just taken that has yet to
//! write its own word. Inheriting from the second makes a unit too many: the model found it.)

use crate::record::owner::{Owner, Phase};

/// The shared memory as one sees it who looks.
pub(super) trait Sight {
    /// Why an operation did not come about. Never happens in shared memory; the model stops a process
    /// by it.
    type Stop;

    /// How many units the semaphore has.
    fn value(&self) -> Result<u32, Self::Stop>;
    fn owner(&self) -> Result<Owner, Self::Stop>;
    /// Whether the process of an owner word can never run again. When in doubt it can.
    fn is_dead(&self, owner: Owner) -> Result<bool, Self::Stop>;
    /// Whether the text is the one that the last owner wrote who wrote one. Another one is a
    /// resourcelock program's, which writes it right after it takes the semaphore.
    fn text_is_an_owners(&self) -> Result<bool, Self::Stop>;
}

/// The shared memory as one sees it who works on it.
pub(super) trait Memory: Sight {
    /// Who that is, in no phase.
    fn me(&self) -> Owner;
    /// Takes a unit of the semaphore, if there is one.
    fn try_wait(&self) -> Result<bool, Self::Stop>;
    /// Adds a unit to the semaphore.
    fn post(&self) -> Result<(), Self::Stop>;
    /// Changes the owner word if it is `from` still.
    fn swap_owner(&self, from: Owner, to: Owner) -> Result<bool, Self::Stop>;
}

/// What became of a unit that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Owned,
    /// It was a surplus, and is dropped.
    Surplus,
}

/// The caller has just taken a unit: makes it the owner, unless somebody lives who is.
pub(super) fn own<M: Memory>(memory: &M) -> Result<Taken, M::Stop> {
    loop {
        let owner = memory.owner()?;
        // Who claims has no unit yet, and gives way to this one.
        let is_free = owner.is_nobody() || owner.claims() || memory.is_dead(owner)?;
        if !is_free {
            return Ok(Taken::Surplus);
        }
        if memory.swap_owner(owner, memory.me().that(Phase::Holds))? {
            return Ok(Taken::Owned);
        }
    }
}

/// Takes what is more than the caller's own unit, which it has as the owner: with it, a resourcelock
/// program would come in beside the caller. How many there were.
pub(super) fn drain<M: Memory>(memory: &M) -> Result<u32, M::Stop> {
    /// Whoever posts as fast as this would keep it busy for ever.
    const MOST: u32 = 16;

    let mut surplus = 0;
    while surplus < MOST && memory.value()? > 0 && memory.try_wait()? {
        surplus += 1;
    }
    Ok(surplus)
}

/// Gives the lock back; whether the caller was its owner.
pub(super) fn release<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    give(memory, memory.me().that(Phase::Holds))
}

/// Clears the word of `owner`, whose unit it is then the caller's business to post.
fn give<M: Memory>(memory: &M, owner: Owner) -> Result<bool, M::Stop> {
    // First the word: whoever takes the unit finds it cleared, or the unit would be a surplus to him.
    if !memory.swap_owner(owner, Owner::NOBODY)? {
        return Ok(false);
    }
    // A unit that lies there already is a surplus, and does for this one.
    if memory.value()? == 0 {
        memory.post()?;
    }
    Ok(true)
}

/// Leaves the lock taken, for somebody to release by force: the word is cleared, and the unit is not
/// posted, as a foreign program would leave it. Whether the caller was its owner.
pub(super) fn detach<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    memory.swap_owner(memory.me().that(Phase::Holds), Owner::NOBODY)
}

/// What somebody finds who got no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// An owner that lives has it.
    Owned(Owner),
    /// There is a unit by now.
    Free,
    /// A program that writes its text and no owner word has it.
    Foreign,
    /// Somebody has it who wrote nothing, or has not yet; or died before it could.
    Unknown,
    /// An owner died with it, and it can be inherited; or somebody claims it, as he might be about to do
    /// for ever.
    Left(Owner),
}

/// Looks who has the unit. Changes nothing.
pub(super) fn look<S: Sight>(memory: &S) -> Result<Look, S::Stop> {
    let owner = memory.owner()?;
    if !owner.is_nobody() && !owner.claims() && !memory.is_dead(owner)? {
        return Ok(Look::Owned(owner));
    }
    if memory.value()? > 0 {
        return Ok(Look::Free);
    }
    // Somebody may have released a dead owner's lock by force, and a foreign program have taken it, over
    // the word that stands there still. Its text tells.
    let is_an_owners = memory.text_is_an_owners()?;
    Ok(match (is_an_owners, owner.is_nobody()) {
        (true, false) => Look::Left(owner),
        (true, true) => Look::Unknown,
        (false, _) => Look::Foreign,
    })
}

/// Claims what a [`look`] found to be left by `dead`, to [`inherit`] it a moment later. Of several that
/// try one succeeds; another may claim it over him, who then inherits nothing.
pub(super) fn claim<M: Memory>(memory: &M, dead: Owner) -> Result<bool, M::Stop> {
    memory.swap_owner(dead, memory.me().that(Phase::Claims))
}

/// Inherits what the caller has claimed; whether that succeeded.
///
/// Since the claim the word names a live process, so whoever has released the lock by force since then
/// has torn it from a live one. What was done before is seen now: a unit; or the text of a program
/// that has taken it, or the word of a process that has. But for those that have taken it and have not
/// come to that yet: the moment between claim and inheritance is there to let them.
pub(super) fn inherit<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    let claims = memory.me().that(Phase::Claims);
    // The value comes first: all of it may happen between the two.
    if memory.value()? == 0 && memory.text_is_an_owners()? {
        // Fails where somebody has taken a unit, or claims as well.
        return memory.swap_owner(claims, memory.me().that(Phase::Holds));
    }
    // There is nothing left of the dead one to inherit.
    memory.swap_owner(claims, Owner::NOBODY)?;
    Ok(false)
}

/// Releases the lock whoever holds it; whether it was taken at all, or left by a dead owner.
///
/// An owner that lives keeps the word, so that lockattr's processes go on excluding each other. With a
/// dead one this competes with those who inherit, by the word: one of them has it.
pub(super) fn force<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    let owner = memory.owner()?;
    let is_posted = memory.value()? > 0;
    let is_held = !owner.is_nobody() && !owner.claims() && !memory.is_dead(owner)?;
    if is_posted {
        // It has been posted already. A live owner holds it all the same, as [`look`] has it.
        return Ok(is_held);
    }
    if !owner.is_nobody() && !is_held {
        return give(memory, owner);
    }
    memory.post()?;
    Ok(true)
}
