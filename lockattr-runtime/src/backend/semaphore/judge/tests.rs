//! Made-up words and records of processes that run, and of some that never did.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::record::owner::Phase;
use crate::sys::process::{status, Identity};

/// What stands beside an owner word.
#[derive(Debug, Clone, Copy, Default)]
struct Beside {
    is_record: bool,
    /// The process that the record is about, if it is about the owner.
    recorded: Option<Identity>,
    was_before_exec: bool,
    was_left_by_exec: bool,
}

impl Evidence for Beside {
    fn is_record(&self) -> bool {
        self.is_record
    }

    fn recorded(&self, _: Owner) -> Option<Recorded> {
        self.recorded.map(|identity| Recorded { identity, random: 1 })
    }

    fn was_before_exec(&self, _: Owner, _: &Process) -> bool {
        self.was_before_exec
    }

    fn was_left_by_exec(&self, _: u32) -> bool {
        self.was_left_by_exec
    }
}

/// No record: the page holds whatever was there.
const BARE: Beside =
    Beside { is_record: false, recorded: None, was_before_exec: false, was_left_by_exec: false };

/// A record that is about another owner.
const SILENT: Beside = Beside { is_record: true, ..BARE };

fn about(identity: Identity) -> Beside {
    Beside { recorded: Some(identity), ..SILENT }
}

/// A process that runs until this is dropped.
struct Neighbour(Child);

impl Neighbour {
    fn start() -> Self {
        let mut child = Command::new("cat");
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It has come to its own code when it answers: until then the kernel may not show its addresses.
        child.stdin.as_ref().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        Self(child)
    }

    fn identity(&self) -> Identity {
        let status = status(self.0.id()).unwrap();
        Identity {
            pid: self.0.id(),
            start_time: status.start_time,
            image: status.image,
            ..Process::this().identity
        }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// No process has this pid: it is above the limit of nearly every system.
const GONE: u32 = 4_194_000;

fn word(identity: &Identity) -> Owner {
    Owner::of(identity).that(Phase::Holds)
}

/// Whether the owner is dead by the word alone, beside another owner's record, and beside its own.
fn verdicts(identity: Identity, this: &Process) -> [bool; 3] {
    [BARE, SILENT, about(identity)].map(|beside| is_dead(word(&identity), this, &beside))
}

const ALIVE: [bool; 3] = [false; 3];
const DEAD: [bool; 3] = [true; 3];
/// What cannot be seen from here is in doubt, and no owner at all where there is no record.
const UNSEEN: [bool; 3] = [true, false, false];

#[test]
fn an_owner_lives_while_a_process_of_all_its_numbers_runs() {
    let this = *Process::this();
    let neighbour = Neighbour::start();
    let identity = neighbour.identity();
    assert_ne!(identity.image, 0);
    for (what, identity, expected) in [
        ("it runs", identity, ALIVE),
        ("its start time is not known", Identity { start_time: 0, ..identity }, ALIVE),
        ("its image is not known", Identity { image: 0, ..identity }, ALIVE),
        (
            "its pid is a later one's",
            Identity { start_time: identity.start_time - 2, ..identity },
            DEAD,
        ),
        (
            "it has executed another program",
            Identity { image: identity.image ^ 2, ..identity },
            DEAD,
        ),
        ("nobody has its pid", Identity { pid: GONE, ..identity }, DEAD),
    ] {
        assert_eq!(verdicts(identity, &this), expected, "{what}");
        assert_eq!(can_be(word(&identity), &this), !expected[0], "{what}");
    }
    drop(neighbour);
    assert_eq!(verdicts(identity, &this), DEAD);
}

#[test]
fn an_owner_whose_numbers_mean_nothing_here_is_in_doubt() {
    let this = *Process::this();
    let neighbour = Neighbour::start();
    let identity = neighbour.identity();
    let pids = identity.pid_namespace;
    let other_time = identity.time_namespace ^ 2;
    for (what, identity, expected) in [
        ("other pids", Identity { pid_namespace: pids ^ 2, pid: GONE, ..identity }, UNSEEN),
        ("unknown pids", Identity { pid_namespace: 0, pid: GONE, ..identity }, UNSEEN),
        (
            "another clock",
            Identity { time_namespace: other_time, start_time: 5, ..identity },
            UNSEEN,
        ),
        ("no clock", Identity { time_namespace: 0, start_time: 5, ..identity }, UNSEEN),
        // A pid that nobody has needs no clock, where the record says in full whose it is.
        (
            "gone",
            Identity { time_namespace: other_time, pid: GONE, ..identity },
            [true, false, true],
        ),
    ] {
        assert_eq!(verdicts(identity, &this), expected, "{what}");
        assert!(!can_be(word(&identity), &this), "{what}");
    }
    // Nor can a process judge that does not know its own namespace.
    let mut lost = this;
    lost.identity.pid_namespace = 0;
    assert_eq!(verdicts(Identity { pid: GONE, ..identity }, &lost), UNSEEN);
}

#[test]
fn who_has_entered_another_time_namespace_compares_no_start_times() {
    let neighbour = Neighbour::start();
    let identity = neighbour.identity();
    let mut shifted = *Process::this();
    shifted.identity.start_time += 100;
    let before = Identity { start_time: identity.start_time - 100, ..identity };
    assert_eq!(verdicts(before, &shifted), ALIVE);
    assert_eq!(verdicts(Identity { image: identity.image ^ 2, ..before }, &shifted), DEAD);
    assert_eq!(verdicts(Identity { pid: GONE, ..before }, &shifted), DEAD);
}

#[test]
fn a_program_that_its_own_process_has_left_is_dead() {
    let neighbour = Neighbour::start();
    let identity = neighbour.identity();
    let this = *Process::this();
    let left = Beside { was_left_by_exec: true, ..about(identity) };
    assert!(is_dead(word(&identity), &this, &left));
    // What is mapped by the process of its pid here says nothing of a process elsewhere.
    let elsewhere = Identity { pid_namespace: identity.pid_namespace ^ 2, ..identity };
    assert!(!is_dead(word(&elsewhere), &this, &Beside { recorded: Some(elsewhere), ..left }));
    // And another owner's record says nothing of this one.
    assert!(!is_dead(word(&identity), &this, &Beside { was_left_by_exec: true, ..SILENT }));
}

#[test]
fn of_this_process_only_the_program_that_runs_now_lives() {
    let this = *Process::this();
    let identity = this.identity;
    assert_eq!(verdicts(identity, &this), ALIVE);
    assert!(can_be(word(&identity), &this));
    let before = Identity { image: identity.image ^ 2, ..identity };
    assert_eq!(verdicts(before, &this), DEAD);
    assert!(!can_be(word(&before), &this));
    // Of the same addresses, but the record has another program's random bits.
    let before = Beside { was_before_exec: true, ..about(identity) };
    assert!(is_dead(word(&identity), &this, &before));
    assert_eq!(verdicts(Identity { start_time: identity.start_time - 2, ..identity }, &this), DEAD);
}

#[test]
fn a_word_that_no_process_wrote_is_no_live_owners() {
    let this = *Process::this();
    let identity = this.identity;
    let words = [Owner::of(&identity), word(&identity).left_before_exec(), Owner::NOBODY];
    for owner in words {
        for beside in [BARE, SILENT, about(identity)] {
            assert!(is_dead(owner, &this, &beside), "{owner:?} {beside:?}");
        }
        assert!(!can_be(owner, &this), "{owner:?}");
    }
}

#[test]
fn an_image_is_compared_in_full_where_the_record_has_it() {
    let this = *Process::this();
    let neighbour = Neighbour::start();
    let identity = neighbour.identity();
    // All that have the same ten bits in their word.
    let alike: Vec<Identity> = (1..1 << 16)
        .map(|image| Identity { image, ..identity })
        .filter(|other| Owner::of(other) == Owner::of(&identity) && *other != identity)
        .collect();
    assert!(alike.len() > 10);
    for other in alike {
        assert_eq!(verdicts(other, &this), [false, false, true]);
    }
}
