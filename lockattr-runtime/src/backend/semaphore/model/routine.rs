//! The backend's ways through the protocol: what `Attempt`, `Semaphore::grant` and `Held` do.

use super::super::protocol::{self, Look, Memory, Sight as _, Taken};
use super::memory::{Step, Stopped, Text, MARKED, TORN};
use super::system::Sabotage;

/// Added to the text of a process's grant.
pub(super) const CHANGED: Text = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Routine {
    /// Tries once, looks, and claims what was left.
    Acquire,
    /// The semaphore has brought a unit while a claim stands.
    Wake,
    /// A claim has stood for long enough.
    Inherit,
    /// Owns the lock, and writes the record.
    Grant,
    Release,
    Detach,
    /// Changes its text while it holds.
    SetInfo,
    Force,
}

/// How a routine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Owns,
    /// Looks again, or gives up: both begin anew.
    NotYet,
    Claimed,
    /// Whether it was told of a death.
    Granted(bool),
    Released,
    /// Leaves the lock taken.
    Detached,
    TextSet,
    Forced,
}

pub(super) fn run(routine: Routine, step: &Step<'_>, text: Text) -> Result<Outcome, Stopped> {
    match routine {
        Routine::Acquire if step.try_wait()? => Ok(match protocol::own(step)? {
            Taken::Owned => Outcome::Owns,
            Taken::Surplus | Taken::PutBack => Outcome::NotYet,
        }),
        Routine::Acquire => match protocol::look(step)? {
            Look::Left(dead) if protocol::claim(step, dead)? => Ok(Outcome::Claimed),
            _ => Ok(Outcome::NotYet),
        },
        Routine::Wake if step.try_wait()? => Ok(match protocol::own(step)? {
            Taken::Owned => owned(step)?,
            Taken::Surplus => Outcome::Claimed,
            Taken::PutBack => Outcome::NotYet,
        }),
        Routine::Wake => Ok(Outcome::Claimed),
        Routine::Inherit => {
            let inherits = protocol::inherit(step)?;
            Ok(if inherits { owned(step)? } else { Outcome::NotYet })
        }
        Routine::Grant => grant(step, text),
        Routine::Release => {
            step.write(|shared| shared.is_released = true)?;
            protocol::give_back(step)?;
            Ok(Outcome::Released)
        }
        Routine::Detach => {
            step.write(|shared| shared.is_released = true)?;
            let was_there = protocol::detach(step)?;
            Ok(if was_there { Outcome::Detached } else { Outcome::Released })
        }
        Routine::SetInfo => set_info(step, text),
        Routine::Force => protocol::force(step).map(|_| Outcome::Forced),
    }
}

/// At the end of a wait.
fn owned(step: &Step<'_>) -> Result<Outcome, Stopped> {
    Ok(if protocol::keeps(step)? { Outcome::Owns } else { Outcome::NotYet })
}

/// See `write::grant` for the order.
fn grant(step: &Step<'_>, text: Text) -> Result<Outcome, Stopped> {
    protocol::drain(step)?;
    let is_told = !step.read(|shared| shared.is_released)?;
    if step.is_sabotaged_by(Sabotage::NoMark) {
        step.write(|shared| shared.text = TORN)?;
        step.write(|shared| shared.text = text)?;
        step.write(|shared| shared.recorded = text)?;
    } else {
        step.write(|shared| shared.text = MARKED)?;
        // The words behind the mark change nothing that anybody goes by.
        step.write(|shared| shared.recorded = text)?;
        step.write(|shared| shared.text = text)?;
    }
    step.write(|shared| shared.is_released = false)?;
    Ok(Outcome::Granted(is_told))
}

/// See `Semaphore::set_info`, and `write::info` for the order.
fn set_info(step: &Step<'_>, text: Text) -> Result<Outcome, Stopped> {
    if step.owner()?.process() != step.me().process() {
        return Ok(Outcome::TextSet);
    }
    let before = step.text()?;
    if !step.text_is_an_owners()? {
        return Ok(Outcome::TextSet);
    }
    let is_plain = step.is_sabotaged_by(Sabotage::NoMarkOfAChange);
    // Another process may have marked it, to own it.
    let is_marked = is_plain || step.swap_text(before, MARKED)? || step.text()? == MARKED;
    if !is_marked {
        return Ok(Outcome::TextSet);
    }
    step.write(|shared| shared.recorded = text + CHANGED)?;
    if is_plain {
        step.write(|shared| shared.text = text + CHANGED)?;
    } else {
        step.swap_text(MARKED, text + CHANGED)?;
    }
    Ok(Outcome::TextSet)
}
