//! Who owns the lock: the protocol, one operation on shared memory at a time.
//!
//! The functions here are all there is to it. The backend runs them in shared memory; the model
//! (`model/`, in the tests) runs these very functions, stops each process before each of its
//! operations, lets others go on and kills, in every order there is.
//!
//! Two things make up the lock. The semaphore has one *unit*: a process that takes it has the lock as
//! far as resourcelock's programs can tell. The *owner word* tells lockattr's processes apart: it goes
//! from nobody to an owner and back by compare-and-swap only.
//!
//! 1. At most one process is in the phase [`Phase::Holds`], and only that one is in its body: whatever
//!    the semaphore's value is, there are never two holders among lockattr's processes.
//! 2. An owner has a unit. It took it, or it inherited it from an owner that died with it. More units
//!    than one come of a forced release (resourcelock's `unget`); a process that takes one and finds an
//!    owner that lives has such a surplus in hand, and drops it.
//! 3. A word changes from one owner to another only if the first one is dead, or only claims. So a live
//!    holder's word is its own until it releases.
//! 4. Under an owner's word the text is an owner's, unless a foreign program has written it since. The
//!    text is *marked* before the word is written, and the mark stands in its first word until all the
//!    rest and its digest are there. So an owner that dies at whatever instruction is inherited from.
//! 5. An owner *signs* for the semaphore that its unit is of. Where the semaphore's file was removed and
//!    made anew, a process with a unit of the new one posts it back while the owner of the old one
//!    lives: to drop it would leave the new one at 0 for ever. A dead owner is followed with a unit of
//!    its own semaphore, or of the one that has the name.
//!
//! What nobody can tell: a process that dies between taking a unit and writing the word, or between
//! clearing the word and posting the unit, leaves what a resourcelock program leaves that holds the
//! lock. Nobody takes it, until it is released by force. It is a window of some ten instructions each.
//!
//! (To keep a word until the unit is posted does not help. A dead owner's word under a value of 0
//! would be one that has not posted, or one whose unit a live process has just taken that has yet to
//! write its own word. Inheriting from the second makes a unit too many: the model found it. Nor does
//! one more look at the semaphore after [`inherit`]'s swap: it loses the lock.)

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
    /// Whether the text is the one that the last owner wrote who wrote one, or is marked as the text of
    /// an owner that has yet to write it. Another one is a resourcelock program's, which writes it right
    /// after it takes the semaphore.
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
    /// Makes the text an owner's, whatever it is.
    fn mark_text(&self) -> Result<(), Self::Stop>;
    /// Writes, as the owner, which semaphore the unit is of.
    fn sign(&self) -> Result<(), Self::Stop>;
    /// Writes, as the owner, that the unit is of none.
    fn unsign(&self) -> Result<(), Self::Stop>;
    /// Whether `owner` has written that its unit is of the caller's semaphore.
    fn has_signed(&self, owner: Owner) -> Result<bool, Self::Stop>;
    /// Whether the caller's semaphore is the one that others find by its name. Not so where its file was
    /// removed.
    fn is_named(&self) -> Result<bool, Self::Stop>;
}

/// Whether the caller may take the place of `dead`, by a unit of its own semaphore or with that of `dead`.
/// Not so where `dead` has a unit of a semaphore made anew, and the caller's is the one before: nothing
/// would ever bring that unit back.
fn may_succeed<M: Memory>(memory: &M, dead: Owner) -> Result<bool, M::Stop> {
    Ok(memory.has_signed(dead)? || memory.is_named()?)
}

/// What became of a unit that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Owned,
    /// It was a surplus, and is dropped.
    Surplus,
    /// It is posted back. An owner has a unit of another semaphore, or has yet to sign: once that owner is
    /// gone, nothing else makes this semaphore's lock free.
    PutBack,
}

/// The caller has just taken a unit: makes it the owner, unless another process lives that is.
///
/// Nearly always nothing is in the way. Then there is little to do between the unit and the word, for a
/// process that dies there leaves an orphan.
#[inline]
pub(super) fn own<M: Memory>(memory: &M) -> Result<Taken, M::Stop> {
    let owner = memory.owner()?;
    if owner.is_nobody() && take_over(memory, owner)? {
        return Ok(Taken::Owned);
    }
    own_after(memory)
}

/// As [`own`], where there is an owner, dead or alive, or where there just was.
#[cold]
fn own_after<M: Memory>(memory: &M) -> Result<Taken, M::Stop> {
    loop {
        let owner = memory.owner()?;
        // A claimer has no unit yet, and gives way to this one.
        let is_free = owner.is_nobody() || owner.claims() || memory.is_dead(owner)?;
        if !is_free && memory.has_signed(owner)? {
            return Ok(Taken::Surplus);
        }
        if !is_free || !owner.is_nobody() && !may_succeed(memory, owner)? {
            memory.post()?;
            return Ok(Taken::PutBack);
        }
        if take_over(memory, owner)? {
            return Ok(Taken::Owned);
        }
    }
}

/// Takes the place of `owner`, with a unit in hand.
#[inline]
fn take_over<M: Memory>(memory: &M, owner: Owner) -> Result<bool, M::Stop> {
    // Before the word: nobody inherits from an owner over whose word a foreign program's text stands.
    memory.mark_text()?;
    let is_owner = memory.swap_owner(owner, memory.me().that(Phase::Holds))?;
    if is_owner {
        memory.sign()?;
    }
    Ok(is_owner)
}

/// What an owner found in the semaphore, beside its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drained {
    /// So many units, which are taken out.
    Surplus(u32),
    /// More than a mistake makes. The semaphore has so many.
    TooMany(u32),
}

/// Takes what is more than the caller's own unit, which it has as the owner: with it, a resourcelock
/// program would come in beside the caller.
#[inline]
pub(super) fn drain<M: Memory>(memory: &M) -> Result<Drained, M::Stop> {
    match memory.value()? {
        0 => Ok(Drained::Surplus(0)),
        _ => drain_all(memory),
    }
}

#[cold]
fn drain_all<M: Memory>(memory: &M) -> Result<Drained, M::Stop> {
    /// A program that posts without end would keep the caller busy for ever.
    const MOST: u32 = 16;

    let mut surplus = 0;
    loop {
        let value = memory.value()?;
        if value == 0 {
            return Ok(Drained::Surplus(surplus));
        }
        if surplus + value > MOST {
            return Ok(Drained::TooMany(value));
        }
        surplus += u32::from(memory.try_wait()?);
    }
}

/// Stops being the owner, and leaves the semaphore with as many units as the caller found.
pub(super) fn refuse<M: Memory>(memory: &M) -> Result<(), M::Stop> {
    if memory.swap_owner(memory.me().that(Phase::Holds), Owner::NOBODY)? {
        memory.post()?;
    }
    Ok(())
}

/// At the end of a wait: whether the caller, who owns the lock now, has the one that others find. If the
/// semaphore was removed meanwhile, the lock is given back: another process may have made the semaphore
/// anew, and hold that one.
pub(super) fn keeps<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    let is_named = memory.is_named()?;
    if !is_named {
        // The caller tries again, by the same word, and may die before it signs for the next one.
        memory.unsign()?;
        give_back(memory)?;
    }
    Ok(is_named)
}

/// Gives the lock back; whether it was there to be given back.
pub(super) fn give_back<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    const TRIES: usize = 8; // nothing writes over it again and again but in bad faith

    for _ in 0..TRIES {
        if release(memory)? {
            return Ok(true);
        }
        // A text was longer than a record's, and went over the owner word; another process may have made
        // the page a record again since, and cleared the word. What stands there now is nobody's: no
        // process is able to take over a lock that is held.
        let standing = memory.owner()?;
        if !memory.is_dead(standing)? {
            break;
        }
        memory.swap_owner(standing, memory.me().that(Phase::Holds))?;
    }
    Ok(false)
}

/// Releases the lock; whether the caller was its owner.
fn release<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    give(memory, memory.me().that(Phase::Holds))
}

/// Clears the word of `owner`, whose unit it is then the caller's business to post.
fn give<M: Memory>(memory: &M, owner: Owner) -> Result<bool, M::Stop> {
    // Looked at before, so that nothing is left to do between the word and the unit: who dies there leaves
    // an orphan.
    let has_surplus = memory.value()? > 0;
    // First the word: the next one that takes the unit finds it cleared, or drops the unit as a surplus.
    if !memory.swap_owner(owner, Owner::NOBODY)? {
        return Ok(false);
    }
    // A unit that lies there already is a surplus, and does for this one, if no process has dropped it
    // meanwhile.
    if !has_surplus || memory.value()? == 0 {
        memory.post()?;
    }
    Ok(true)
}

/// Leaves the lock taken, until it is released by force: the word is cleared, and the unit is not
/// posted, as a foreign program would leave it. Whether the caller was its owner.
pub(super) fn detach<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    memory.swap_owner(memory.me().that(Phase::Holds), Owner::NOBODY)
}

/// What a process finds that got no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// An owner that lives has it.
    Owned(Owner),
    /// There is a unit by now.
    Free,
    /// A program that writes its text and no owner word has it.
    Foreign,
    /// A process has it that wrote nothing, or has not yet; or died before it could.
    Unknown,
    /// An owner died with it, and it can be inherited; or a process claims it, as it might be about to do
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
    // A dead owner's lock may have been released by force, and a foreign program have taken it, over
    // the word that stands there still. Its text tells.
    let is_an_owners = memory.text_is_an_owners()?;
    Ok(match (is_an_owners, owner.is_nobody()) {
        (true, false) => Look::Left(owner),
        (true, true) => Look::Unknown,
        (false, _) => Look::Foreign,
    })
}

/// Claims what a [`look`] found to be left by `dead`, to [`inherit`] it a moment later. Of several that
/// try one succeeds; another may claim it over that one, which then inherits nothing.
pub(super) fn claim<M: Memory>(memory: &M, dead: Owner) -> Result<bool, M::Stop> {
    Ok(may_succeed(memory, dead)? && memory.swap_owner(dead, memory.me().that(Phase::Claims))?)
}

/// Inherits what the caller has claimed; whether that succeeded.
///
/// Since the claim the word names a live process, so a release by force since then
/// has torn the lock from a live one. What was done before is seen now: a unit; or the text of a program
/// that has taken it, or the word of a process that has. But for those that have taken it and have not
/// come to that yet: the moment between claim and inheritance is there to let them.
pub(super) fn inherit<M: Memory>(memory: &M) -> Result<bool, M::Stop> {
    let claims = memory.me().that(Phase::Claims);
    // The value comes first: all of it may happen between the two.
    if memory.value()? == 0 && memory.text_is_an_owners()? {
        // Fails where another process has taken a unit, or claims as well.
        let inherits = memory.swap_owner(claims, memory.me().that(Phase::Holds))?;
        if inherits {
            memory.sign()?;
        }
        return Ok(inherits);
    }
    // There is nothing left of the dead one to inherit.
    memory.swap_owner(claims, Owner::NOBODY)?;
    Ok(false)
}

/// Releases the lock, also of another process; whether it was taken at all, or left by a dead owner.
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
    if !owner.is_nobody() && !is_held && may_succeed(memory, owner)? {
        return give(memory, owner);
    }
    memory.post()?;
    Ok(true)
}

#[cfg(test)]
mod tests;
