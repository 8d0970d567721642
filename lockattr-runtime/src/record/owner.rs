//! The owner word: which process owns a semaphore's lock, in one 64-bit atomic.
//!
//! ```text
//! bits  0..22  pid                          Linux's largest is 2^22 (PID_MAX_LIMIT)
//!      22..33  start time                   the low bits of field 22 of /proc/PID/stat
//!      33..44  pid and time namespace       the low bits of their inodes
//!      44..54  image                        where its code and stack begin: other places after each exec
//!      54..62  turn                         counts the process's acquisitions
//!      62..64  phase                        0 in a vacant word alone, 3 in one left before exec
//! ```
//!
//! Who reads the word can tell whether the process runs still, with nothing else to read that might
//! belong to the owner before. The record has the numbers in full; where it belongs to the same
//! process, they count as well. By the turn no thread takes another one's word for its own.

use crate::sys::generation::OncePerProcess;
use crate::sys::process::{Identity, Process};

/// The owner word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Owner(pub(crate) u64);

/// What an owner is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is about to inherit from a dead owner. A process that has a unit of the semaphore comes first.
    Claims = 1,
    Holds = 2,
}

/// A field of the word: its lowest bit, and how many it has.
type Bits = (u32, u32);

const PID: Bits = (0, 22);
const START_TIME: Bits = (22, 11);
const PID_SPACE: Bits = (33, 11);
const IMAGE: Bits = (44, 10);
const TURN: Bits = (54, 8);
const PHASE: Bits = (62, 2);

const fn put((shift, width): Bits, value: u64) -> u64 {
    (value & ((1 << width) - 1)) << shift
}

const fn get((shift, width): Bits, word: u64) -> u64 {
    (word >> shift) & ((1 << width) - 1)
}

/// A field's value for a number of more bits, an inode or a digest of addresses. 0 only for 0: not known.
const fn folded(bits: Bits, number: u64) -> u64 {
    let number = number ^ number >> 32;
    match get(bits, put(bits, number ^ number >> 20)) {
        0 if number != 0 => 1,
        folded => folded,
    }
}

/// The low bits of a start time. 0 only where it is not known.
const fn began(start_time: u64) -> u64 {
    match get(START_TIME, put(START_TIME, start_time)) {
        0 if start_time != 0 => 1,
        began => began,
    }
}

/// The namespaces by which pid and start time can be compared. 0 only where they are not known.
const fn space(identity: &Identity) -> u64 {
    if identity.pid_namespace == 0 || identity.time_namespace == 0 {
        return 0;
    }
    folded(PID_SPACE, identity.pid_namespace ^ identity.time_namespace << 32)
}

/// This process as it writes itself into records.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) process: &'static Process,
    /// What all its words have in common.
    pub(crate) word: Owner,
}

static THIS: OncePerProcess<Writer> = OncePerProcess::new();

impl Writer {
    #[inline]
    pub(crate) fn this() -> &'static Self {
        THIS.get_or_retry(Self::find_out, |this| this.process.is_final)
    }

    /// As [`this`](Self::this), in the process `generation`, which is the caller's. None where it has yet to be
    /// found out.
    #[inline]
    pub(crate) fn known(generation: u32) -> Option<&'static Self> {
        THIS.get(generation).filter(|this| this.process.is_final)
    }

    fn find_out() -> Self {
        let process = Process::this();
        Self { process, word: Owner::of(&process.identity) }
    }
}

impl Owner {
    pub(crate) const NOBODY: Self = Self(0);

    /// What all words of a process have in common: in no turn and no phase.
    pub(crate) const fn of(identity: &Identity) -> Self {
        Self(
            put(PID, identity.pid as u64)
                | put(START_TIME, began(identity.start_time))
                | put(PID_SPACE, space(identity))
                | put(IMAGE, folded(IMAGE, identity.image)),
        )
    }

    pub(crate) const fn in_turn(self, turn: u64) -> Self {
        Self(self.0 & !put(TURN, u64::MAX) | put(TURN, turn))
    }

    pub(crate) const fn that(self, phase: Phase) -> Self {
        Self(self.0 & !put(PHASE, u64::MAX) | put(PHASE, phase as u64))
    }

    #[cfg(test)]
    pub(crate) const fn turn(self) -> u64 {
        get(TURN, self.0)
    }

    /// The process, as [`of`](Self::of) would name it.
    pub(crate) const fn process(self) -> Self {
        Self(self.0 & !put(PHASE, u64::MAX) & !put(TURN, u64::MAX))
    }

    pub(crate) const fn is_nobody(self) -> bool {
        self.0 == 0
    }

    /// None in a word that nobody can have written.
    pub(crate) const fn phase(self) -> Option<Phase> {
        match get(PHASE, self.0) {
            1 => Some(Phase::Claims),
            2 => Some(Phase::Holds),
            _ => None,
        }
    }

    pub(crate) fn claims(self) -> bool {
        self.phase() == Some(Phase::Claims)
    }

    #[allow(clippy::cast_possible_truncation)] // 22 bits
    pub(crate) const fn pid(self) -> u32 {
        get(PID, self.0) as u32
    }

    /// Whether this is surely a word of the process of `identity`, or of a program that ran in it before
    /// `exec`. (To 22 bits beside the pid, which no two processes share at one time.)
    pub(crate) const fn is_in_process(self, identity: &Identity) -> bool {
        self.pid() == identity.pid && self.is_in_space_of(identity) && {
            get(START_TIME, self.0) == began(identity.start_time)
        }
    }

    /// Whether pid and start time mean the same to the owner and to the process of `identity`, as both
    /// know.
    pub(crate) const fn is_in_space_of(self, identity: &Identity) -> bool {
        let space = space(identity);
        space != 0 && get(PID_SPACE, self.0) == space
    }

    /// Whether a process that started at `start_time` can be the owner. What either does not know (0) is no
    /// obstacle.
    pub(crate) const fn can_have_begun(self, start_time: u64) -> bool {
        let own = get(START_TIME, self.0);
        own == 0 || start_time == 0 || own == began(start_time)
    }

    /// Whether a program with this [image](Identity::image) can be the owner, likewise.
    pub(crate) const fn can_be_image(self, image: u64) -> bool {
        let own = get(IMAGE, self.0);
        own == 0 || image == 0 || own == folded(IMAGE, image)
    }

    /// The word of a program that ran in the caller's process before `exec`, as one of nobody who lives.
    pub(crate) const fn left_before_exec(self) -> Self {
        Self(self.0 | put(PHASE, u64::MAX))
    }
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{:?}", self.pid(), self.phase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            pid: (1 << 22) - 1,
            pid_namespace: 4_026_531_836,
            start_time: 123_456_789,
            time_namespace: 4_026_531_834,
            image: 0x1234_5678_9abc_def0,
        }
    }

    #[test]
    fn a_word_names_its_process_and_phase() {
        let identity = identity();
        let owner = Owner::of(&identity).in_turn(259);
        assert!(!owner.is_nobody() && Owner::NOBODY.is_nobody());
        for phase in [Phase::Claims, Phase::Holds] {
            let word = owner.that(phase);
            assert_eq!((word.phase(), word.claims()), (Some(phase), phase == Phase::Claims));
            assert_eq!((word.pid(), word.process()), (identity.pid, Owner::of(&identity)));
            assert_eq!(word.that(Phase::Holds), owner.that(Phase::Holds));
            assert_ne!(word, owner.in_turn(260).that(phase));
            assert_eq!(word, owner.in_turn(3).that(phase));
            assert_eq!(word.left_before_exec().phase(), None);
            assert_eq!(word.left_before_exec().process(), word.process());
        }
        assert_eq!(owner.phase(), None);
    }

    #[test]
    fn a_word_is_of_one_process_and_of_one_program_in_it() {
        let identity = identity();
        let owner = Owner::of(&identity);
        assert!(owner.is_in_process(&identity));
        assert!(owner.can_have_begun(identity.start_time) && owner.can_be_image(identity.image));
        let later = Identity { start_time: identity.start_time + 1, ..identity };
        assert!(!owner.is_in_process(&later) && !owner.can_have_begun(later.start_time));
        for elsewhere in [
            Identity { pid_namespace: 4_026_531_837, ..identity },
            Identity { time_namespace: 4_026_531_835, ..identity },
            Identity { pid_namespace: 0, ..identity },
        ] {
            assert!(!owner.is_in_process(&elsewhere) && !owner.is_in_space_of(&elsewhere));
        }
        assert!(!owner.can_be_image(identity.image ^ 2));
        assert!(
            owner.can_have_begun(0) && owner.can_be_image(0),
            "what is not known is no obstacle"
        );
        let blind = Owner::of(&Identity { start_time: 0, image: 0, pid_namespace: 0, ..identity });
        assert!(blind.can_have_begun(identity.start_time) && blind.can_be_image(identity.image));
        let even = Identity { start_time: 1 << 20, image: 1 << 63, ..identity };
        assert!(!Owner::of(&even).can_have_begun(5) && !Owner::of(&even).can_be_image(5));
        assert!(!blind.is_in_space_of(&Identity { pid_namespace: 0, ..identity }));
    }
}
