//! The owner word: which process owns a semaphore's lock, in one 64-bit atomic.
//!
//! ```text
//! bits  0..22  pid                          Linux's largest is 2^22 (PID_MAX_LIMIT)
//!      22..33  start time                   the low bits of field 22 of /proc/PID/stat
//!      33..44  pid and time namespace       the low bits of their inodes
//!      44..54  image                        where its stack begins: another place after each exec
//!      54..62  turn                         counts the process's acquisitions
//!      62..64  phase                        0 in a vacant word alone
//! ```
//!
//! Who reads the word can tell whether the process runs still, with nothing else to read that might
//! belong to the owner before. The record has the numbers in full; where it belongs to the same
//! process, they count as well. By the turn no thread takes another one's word for its own.

use crate::sys::process::Process;

/// The owner word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Owner(pub(crate) u64);

/// What an owner is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is about to inherit from a dead owner. Whoever has a unit of the semaphore comes first.
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

/// All bits of a number in the low ones: two inodes of namespaces, a random address.
const fn fold(number: u64) -> u64 {
    let number = number ^ number >> 32;
    number ^ number >> 20
}

impl Owner {
    pub(crate) const NOBODY: Self = Self(0);

    /// What all words of a process have in common: in no turn and no phase.
    pub(crate) const fn of(process: &Process) -> Self {
        Self(
            put(PID, process.pid as u64)
                | put(START_TIME, process.start_time)
                | put(PID_SPACE, fold(process.pid_space))
                | put(IMAGE, fold(process.image >> 4)),
        )
    }

    pub(crate) const fn in_turn(self, turn: u64) -> Self {
        Self(self.0 & !put(TURN, u64::MAX) | put(TURN, turn))
    }

    pub(crate) const fn that(self, phase: Phase) -> Self {
        Self(self.0 & !put(PHASE, u64::MAX) | put(PHASE, phase as u64))
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

    /// Whether a process that started at `start_time` can be the owner.
    pub(crate) const fn started_at(self, start_time: u64) -> bool {
        get(START_TIME, self.0) == get(START_TIME, put(START_TIME, start_time))
    }

    /// Whether a process whose [`pid_space`](Process::pid_space) is this one can be the owner.
    pub(crate) const fn is_in(self, pid_space: u64) -> bool {
        get(PID_SPACE, self.0) == get(PID_SPACE, put(PID_SPACE, fold(pid_space)))
    }
}

impl Owner {
    /// Whether a program whose [`image`](Process::image) is this one can be the owner. So can any if the
    /// owner did not know its own.
    pub(crate) const fn is_image(self, image: u64) -> bool {
        get(IMAGE, self.0) == 0 || get(IMAGE, self.0) == get(IMAGE, put(IMAGE, fold(image >> 4)))
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

    #[test]
    fn a_word_names_its_process_and_phase() {
        let mut process = Process::this().unwrap();
        process.pid = (1 << 22) - 1;
        process.start_time = 123_456_789;
        process.pid_space = 4_026_531_836;
        let owner = Owner::of(&process).in_turn(259);
        assert!(!owner.is_nobody());
        for phase in [Phase::Claims, Phase::Holds] {
            let word = owner.that(phase);
            assert_eq!(word.phase(), Some(phase));
            assert_eq!((word.pid(), word.process()), (process.pid, Owner::of(&process)));
            assert!(word.started_at(123_456_789) && !word.started_at(123_456_790));
            assert!(word.is_in(4_026_531_836) && !word.is_in(4_026_531_837));
            assert_eq!(word.that(Phase::Holds), owner.that(Phase::Holds));
            assert_ne!(word, owner.in_turn(260).that(phase));
            assert_eq!(word, owner.in_turn(3).that(phase));
        }
        assert_eq!(owner.phase(), None);
        process.image ^= 1 << 4;
        assert_ne!(owner.process(), Owner::of(&process));
    }
}
