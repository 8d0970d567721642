//! Whether an owner lives.

use crate::record::owner::Owner;
use crate::record::{Numbers, OwnedCopy, OwnedPage};
use crate::sys::process::{self, Process};

/// What a judgement goes by, beside the owner word itself.
pub(super) trait Evidence {
    /// See [`OwnedPage::is_record`].
    fn is_record(&self) -> bool;
    /// What the word of `owner` has not enough bits for, if the record is about its process.
    fn numbers_of(&self, owner: Owner) -> Option<Numbers>;
}

/// Whether the process of `owner` can never run again, as `this` process can tell. When in doubt it
/// can: nobody may be robbed of a lock that he holds.
pub(super) fn is_dead(owner: Owner, this: &Process, evidence: &impl Evidence) -> bool {
    if owner.phase().is_none() {
        return true; // no process wrote that
    }
    if !evidence.is_record() {
        return !can_be(owner, this);
    }
    if this.pid_space == 0 || !owner.is_in(this.pid_space) {
        return false; // its pid means nothing here
    }
    let numbers = evidence.numbers_of(owner);
    if numbers.is_some_and(|numbers| numbers.pid_space != this.pid_space) {
        return false; // as above; the word has a few bits of it only
    }
    !runs(owner, numbers, this)
}

/// Whether an owner word can be that of a process which lives. Where there is no record it may as well
/// be any bytes, so what cannot be seen from here is none.
pub(super) fn can_be(owner: Owner, this: &Process) -> bool {
    owner.phase().is_some() && owner.is_in(this.pid_space) && runs(owner, None, this)
}

fn runs(owner: Owner, numbers: Option<Numbers>, this: &Process) -> bool {
    if owner.pid() == this.pid && owner.started_at(this.start_time) {
        // The program that ran in this process before `exec` has no thread left that could hold.
        return owner.process() == Owner::of(this);
    }
    process::is_alive_as(owner.pid(), |status| {
        let (began, is_image) = match numbers {
            Some(numbers) => (
                numbers.start_time == status.start_time,
                [0, status.image].contains(&numbers.image),
            ),
            None => (owner.started_at(status.start_time), owner.is_image(status.image)),
        };
        // Nor has one in another process, where this one may see it.
        began && (is_image || status.image == 0)
    })
}

impl Evidence for OwnedPage {
    fn is_record(&self) -> bool {
        self.is_record()
    }

    fn numbers_of(&self, owner: Owner) -> Option<Numbers> {
        self.numbers_of(owner)
    }
}

impl Evidence for OwnedCopy {
    fn is_record(&self) -> bool {
        self.is_record()
    }

    fn numbers_of(&self, owner: Owner) -> Option<Numbers> {
        self.numbers_of(owner)
    }
}
