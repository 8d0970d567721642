//! A model of the lock, explored to its end: processes of lockattr, which run the functions of
//! [`protocol`](super::protocol), programs of resourcelock, releases by force, removed files and texts
//! that go over a record. Each process may be killed before each of its operations.
//!
//! What the checker shows, for every order of all steps:
//! - never two holders among lockattr's processes, whatever is forced;
//! - without a forced release, never a lockattr process and a resourcelock program together;
//! - with one, only if it tore the lock from a live process (or posted it twice); or if the lock was then
//!   inherited between another one's taking of the unit and its announcement: a foreign program's text,
//!   or another lockattr process's word;
//! - the lock is lost only if a process died with a bare unit (before its word, or after it), if an owner
//!   died over whose text a foreign program had written, or if a resourcelock program died with it;
//! - the next holder is told of a death in a body, and of nothing else.
//!
//! All of these are found to happen, so no excuse is there for nothing. CONTRIBUTING lists the
//! instructions that they stand for.
//!
//! The model has no turnstile: each process tries at any time, and in every order. So whatever decides who
//! tries, and whenever that fails, what is shown here holds.
//!
//! What the model does not have is time: it shows what can happen where processes are stopped for as
//! long as they like, between any two operations. Nor has it a removed record: whose holder dies leaves
//! an orphan, for nobody finds its word.

mod memory;
mod properties;
mod routine;
mod symmetry;
mod system;

use std::time::Instant;

use properties::{NOT_BOTH, NOT_LOST, ONE_HOLDER};
use stateright::{Checker, Expectation, Model, Path};
use system::{Sabotage, System};

/// Explores everything, and reports the properties that are found broken, or never found to hold.
fn broken(system: System) -> Vec<&'static str> {
    let start = Instant::now();
    let checker = system.checker().threads(2).spawn_bfs().join();
    println!(
        "{} states, {} unique, depth {}, in {:.1} s",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        start.elapsed().as_secs_f64()
    );
    let found = checker.discoveries();
    let mut broken = Vec::new();
    for property in checker.model().properties() {
        let path = found.get(property.name);
        if path.is_some() == matches!(property.expectation, Expectation::Sometimes) {
            continue;
        }
        broken.push(property.name);
        println!("{}:", property.name);
        for (state, action) in path.cloned().into_iter().flat_map(Path::into_vec) {
            println!("    {state:?}\n  {action:?}");
        }
    }
    broken
}

#[test]
fn three_processes_never_make_two_holders_and_never_lose_the_lock() {
    for system in [
        System { forces: 2, ..System::of(3, 0) },
        System { rounds: 2, forces: 2, ..System::of(2, 0) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn four_processes_never_make_two_holders_and_never_lose_the_lock() {
    assert_eq!(broken(System::of(4, 0)), [""; 0]);
}

#[test]
fn threads_of_one_process_take_no_word_of_another_for_their_own() {
    for system in [
        System { has_threads: true, rounds: 2, ..System::of(3, 0) },
        System { has_threads: true, forces: 1, ..System::of(3, 0) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn without_a_forced_release_no_foreign_program_comes_in_beside_a_holder() {
    for system in [
        System { rounds: 2, ..System::of(3, 1) },
        System { rounds: 2, ..System::of(2, 2) },
        System { rounds: 3, ..System::of(2, 1) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn with_forced_releases_none_comes_in_without_an_excuse() {
    for system in [
        System { forces: 1, ..System::of(3, 1) },
        System { forces: 2, ..System::of(2, 1) },
        System { forces: 1, rounds: 2, ..System::of(2, 1) },
        System { forces: 1, ..System::of(2, 2) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn a_claim_that_is_abandoned_and_a_lock_that_is_left_taken_do_no_harm() {
    for system in [
        System { abandons: true, rounds: 2, ..System::of(3, 0) },
        System { abandons: true, forces: 1, ..System::of(2, 1) },
        System { detaches: true, forces: 1, ..System::of(2, 1) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn a_holder_that_changes_its_text_can_be_killed_at_any_time() {
    for system in [
        System { texts: 2, ..System::of(3, 0) },
        System { texts: 1, rounds: 2, ..System::of(2, 1) },
        System { texts: 1, forces: 1, ..System::of(2, 1) },
        System { texts: 1, overwrites: 1, ..System::of(2, 0) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn a_word_that_is_written_over_is_given_back() {
    for system in [
        System { overwrites: 1, ..System::of(3, 0) },
        System { overwrites: 1, forces: 1, ..System::of(2, 0) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn a_semaphore_that_is_removed_leaves_one_holder_and_a_lock_that_works() {
    for system in [
        System { removals: 1, ..System::of(3, 0) },
        System { removals: 1, rounds: 2, ..System::of(2, 0) },
        System { removals: 1, forces: 1, ..System::of(2, 0) },
    ] {
        assert_eq!(broken(system), [""; 0]);
    }
}

#[test]
fn a_protocol_that_is_broken_on_purpose_is_found_out() {
    let forced = System { forces: 1, ..System::of(2, 1) };
    let plain = System { rounds: 2, ..System::of(2, 1) };
    let removed = System { removals: 1, ..System::of(2, 0) };
    for (sabotage, system, found) in [
        (Sabotage::PlainStore, forced, ONE_HOLDER),
        (Sabotage::NobodyElseLives, forced, ONE_HOLDER),
        (Sabotage::AnyText, forced, NOT_BOTH),
        (Sabotage::NoMark, plain, NOT_LOST),
        (Sabotage::NoMarkOfAChange, System { texts: 1, ..plain }, NOT_LOST),
        (Sabotage::MarkAfterTheWord, plain, NOT_LOST),
        (Sabotage::OneSemaphore, removed, NOT_LOST),
        (Sabotage::AnySuccessor, removed, NOT_LOST),
    ] {
        let system = System { sabotage: Some(sabotage), ..system };
        assert!(broken(system).contains(&found), "{sabotage:?}");
    }
}
