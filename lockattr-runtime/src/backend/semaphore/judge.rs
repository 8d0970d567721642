//! Whether an owner lives.

use crate::record::owner::Owner;
use crate::record::{OwnedCopy, OwnedPage, Recorded};
use crate::sys::process::{self, Process};

/// What a judgement goes by, beside the owner word itself.
pub(super) trait Evidence {
    /// See [`OwnedPage::is_record`].
    fn is_record(&self) -> bool;

    /// What the record tells of the process of `owner`, if it is about that one.
    fn recorded(&self, owner: Owner) -> Option<Recorded>;

    /// Whether the owner, whose word is one of `this` process, was a program that ran there before `exec`.
    fn was_before_exec(&self, owner: Owner, this: &Process) -> bool;

    /// Whether the process `pid`, which runs and has the same addresses as the owner, has executed
    /// another program since.
    fn was_left_by_exec(&self, pid: u32) -> bool;
}

/// Whether the program of `owner` can never run again, as `this` process can tell. When in doubt it can:
/// no process may be robbed of a lock that it holds.
pub(super) fn is_dead(owner: Owner, this: &Process, evidence: &impl Evidence) -> bool {
    if owner.phase().is_none() {
        return true; // left before `exec`, or no process wrote that
    }
    if !evidence.is_record() {
        return !can_be(owner, this);
    }
    if owner.is_in_process(&this.identity) {
        // The program that ran in this process before `exec` has no thread left that could hold.
        return !is_of(owner, this) || evidence.was_before_exec(owner, this);
    }
    match evidence.recorded(owner) {
        Some(Recorded { identity, .. }) => {
            !identity.can_run(this)
                || identity.shares_pids_with(&this.identity)
                    && evidence.was_left_by_exec(owner.pid())
        }
        // The word has a few bits of each number only. It is not there for long without its record.
        None => owner.is_in_space_of(&this.identity) && !can_run(owner, this),
    }
}

/// Whether an owner word can be that of a process which lives. Where there is no record it may as well
/// be any bytes, so what cannot be seen from here is none.
pub(super) fn can_be(owner: Owner, this: &Process) -> bool {
    if owner.phase().is_none() {
        return false;
    }
    if owner.is_in_process(&this.identity) {
        return is_of(owner, this);
    }
    owner.is_in_space_of(&this.identity) && can_run(owner, this)
}

fn is_of(owner: Owner, this: &Process) -> bool {
    owner.process() == Owner::of(&this.identity)
}

fn can_run(owner: Owner, this: &Process) -> bool {
    process::can_run(owner.pid(), |status| {
        owner.can_be_image(status.image)
            && (owner.can_have_begun(status.start_time) || !this.identity.tells_the_time())
    })
}

impl Evidence for OwnedPage {
    fn is_record(&self) -> bool {
        self.is_record()
    }

    fn recorded(&self, owner: Owner) -> Option<Recorded> {
        self.recorded(owner)
    }

    /// Seen when the page was opened ([`OwnedPage::left_before_exec`]). From then on another thread of
    /// this program may own the lock and not have written its record yet.
    fn was_before_exec(&self, _: Owner, _: &Process) -> bool {
        false
    }

    fn was_left_by_exec(&self, pid: u32) -> bool {
        self.was_left_by_exec(pid)
    }
}

impl Evidence for OwnedCopy {
    fn is_record(&self) -> bool {
        self.is_record()
    }

    fn recorded(&self, owner: Owner) -> Option<Recorded> {
        self.recorded(owner)
    }

    fn was_before_exec(&self, owner: Owner, this: &Process) -> bool {
        self.recorded(owner).is_some_and(|recorded| recorded.random != this.random)
    }

    fn was_left_by_exec(&self, pid: u32) -> bool {
        self.was_left_by_exec(pid)
    }
}

#[cfg(test)]
mod tests;
