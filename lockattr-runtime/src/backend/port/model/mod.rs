//! The protocol of this backend, explored to the end: every order of the system calls, every moment
//! to give up or to die in.
//!
//! There is one lock. Each process tries to get it a few times, may give up at any moment, and goes
//! through the steps of [`super::queue`] one system call at a time, which the kernel does one after
//! the other. At every step it may die.
//!
//! The record is part of it as far as observers go by it, who have no steps of their own: in every
//! state one may look, and must not be told a wrong name. A grant is written in one step with the
//! `listen` before it, and a release with the first look into the queue after it.
//!
//! Left out: messages that are no lock, a full queue, the pause after many lost connections, records of
//! several users, and descriptors that a fork has copied.

mod kernel;
mod process;
mod properties;
mod symmetry;

use stateright::{Checker, HasDiscoveries, Model, Property};

use kernel::{Files, Record, State};
use process::{Action, Pid, Process, Program, Step};

struct Protocol {
    lockattr: u8,
    k3portlock: u8,
    /// How often each process tries to get the lock.
    acquires: u8,
    /// How many deaths and shortages (of descriptors, say) there are at most in one run.
    faults: u8,
    sabotage: Option<Sabotage>,
}

/// The protocol with one mistake. The checker has to find out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sabotage {
    /// The holder sends while its body runs.
    HandsOffWithinTheBody,
    /// The releaser does not close its copy of the socket.
    KeepsItsCopy,
    /// The releaser closes its copy of the socket before it sends.
    ClosesBeforeItSends,
    /// Who gives up leaves its connection open, for the next time.
    StaysInTheQueue,
    /// Who cannot send to a waiter keeps the connection.
    DoesNotHangUp,
    /// Any news is taken for the lock.
    TakesTheEndForTheLock,
    /// Who is handed the socket uses it as it is.
    DoesNotListenAgain,
    /// The releaser leaves in the record whom it could not send to.
    KeepsItsNote,
    /// An observer names whom the kernel names, whatever the record says.
    AsksTheKernelAlone,
}

impl Model for Protocol {
    type State = State;
    type Action = (Pid, Action);

    fn init_states(&self) -> Vec<State> {
        let start = |program| Process {
            program,
            step: Step::Bind { bereft: false },
            acquires_left: self.acquires,
            files: Files::default(),
        };
        let lockattr = (0..self.lockattr).map(|_| start(Program::Lockattr));
        let k3portlock = (0..self.k3portlock).map(|_| start(Program::K3portlock));
        let processes = lockattr.chain(k3portlock).collect();
        let record = Record::default();
        vec![State { processes, socket: None, record, faults_left: self.faults }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<(Pid, Action)>) {
        for pid in state.pids() {
            state.actions(pid, |action| actions.push((pid, action)));
        }
    }

    fn next_state(&self, last: &State, (pid, action): (Pid, Action)) -> Option<State> {
        let mut next = last.clone();
        next.act(pid, action, self.sabotage);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}

/// Explores all that can happen.
fn explore(protocol: Protocol) {
    // To the end: no bound is set, and the checker stops early only when it has found something for
    // every property. For one that always holds it finds nothing.
    let checker = protocol.checker().spawn_bfs().join();
    assert!(checker.is_done());
    checker.assert_properties();
}

/// Explores the protocol with one mistake until `property` is found to be wrong.
fn assert_breaks(sabotage: Sabotage, property: &'static str) {
    let protocol =
        Protocol { lockattr: 3, k3portlock: 0, acquires: 2, faults: 1, sabotage: Some(sabotage) };
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = protocol.checker().finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "nobody noticed: {property}");
}

#[test]
fn three_processes_and_crashes_at_every_step_never_make_two_holders() {
    explore(Protocol { lockattr: 3, k3portlock: 0, acquires: 2, faults: 3, sabotage: None });
}

#[test]
fn four_processes_and_crashes_at_every_step_never_make_two_holders() {
    explore(Protocol { lockattr: 4, k3portlock: 0, acquires: 1, faults: 4, sabotage: None });
}

#[test]
fn k3portlock_and_processes_that_crash_never_make_two_holders() {
    explore(Protocol { lockattr: 2, k3portlock: 1, acquires: 2, faults: 3, sabotage: None });
    explore(Protocol { lockattr: 2, k3portlock: 2, acquires: 2, faults: 2, sabotage: None });
    explore(Protocol { lockattr: 3, k3portlock: 1, acquires: 1, faults: 4, sabotage: None });
}

#[test]
fn a_hand_off_within_the_body_makes_two_holders() {
    assert_breaks(Sabotage::HandsOffWithinTheBody, properties::EXCLUSION);
}

#[test]
fn a_waiter_that_takes_the_end_for_the_lock_makes_two_holders() {
    assert_breaks(Sabotage::TakesTheEndForTheLock, properties::EXCLUSION);
}

#[test]
fn a_releaser_that_keeps_its_copy_lets_the_others_wait_for_ever() {
    assert_breaks(Sabotage::KeepsItsCopy, properties::TENDED);
    assert_breaks(Sabotage::KeepsItsCopy, properties::NO_DEAD_END);
    assert_breaks(Sabotage::KeepsItsCopy, properties::NOTHING_KEPT);
}

#[test]
fn a_waiter_that_stays_in_the_queue_lets_the_others_wait_for_ever() {
    assert_breaks(Sabotage::StaysInTheQueue, properties::TENDED);
    assert_breaks(Sabotage::StaysInTheQueue, properties::NO_DEAD_END);
    assert_breaks(Sabotage::StaysInTheQueue, properties::NOTHING_KEPT);
}

#[test]
fn a_releaser_that_does_not_hang_up_lets_a_waiter_wait_for_ever() {
    assert_breaks(Sabotage::DoesNotHangUp, properties::REMEMBERED);
    assert_breaks(Sabotage::DoesNotHangUp, properties::NO_DEAD_END);
}

#[test]
fn a_releaser_that_closes_before_it_sends_sends_the_first_in_the_queue_away() {
    assert_breaks(Sabotage::ClosesBeforeItSends, properties::IN_TURN);
}

#[test]
fn a_receiver_that_does_not_listen_again_is_not_named() {
    assert_breaks(Sabotage::DoesNotListenAgain, properties::NAMED);
}

#[test]
fn an_observer_that_asks_the_kernel_alone_names_who_has_released() {
    assert_breaks(Sabotage::AsksTheKernelAlone, properties::TOLD);
}

#[test]
fn a_releaser_that_keeps_its_note_lets_a_waiter_be_named_that_has_gone() {
    assert_breaks(Sabotage::KeepsItsNote, properties::TOLD);
}
