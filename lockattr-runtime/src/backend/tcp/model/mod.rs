//! The protocol of this backend, explored to the end: three ports, bound in any order, and every moment to give
//! up or to die in.
//!
//! Each process goes through the steps of [`Tcp::race`](super::Tcp) one system call at a time, which the kernel
//! does one after the other. At every step it may die; then the kernel closes its sockets one by one, in any
//! order. Programs other than locks' take and leave a port as they like, one of three at most, for then the lock
//! can always be had.
//!
//! Left out: time. A process that finds nobody to tell it tries again at any moment, and none waits for another
//! that does the same. That chance parts them in the end is not shown here, but that it can at any time.

mod ports;
mod process;

use stateright::{Checker, HasDiscoveries, Model, Property};

use ports::Ports;
use process::{Action, Pid, Process, Program, Step};

struct Protocol {
    lockattr: usize,
    k3portlock: usize,
    /// How often each process wants the lock.
    acquires: u8,
    deaths: u8,
    /// A port is taken by something else from time to time.
    stranger: bool,
    order: Order,
    sabotage: Option<Sabotage>,
}

/// In which order a process binds the ports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As the programs do: from the first on.
    Ascending,
    /// So that the rule does not hang on that.
    Any,
}

/// The protocol with one mistake. The checker has to find out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sabotage {
    /// One port is taken for the lock.
    IsContentWithOne,
    /// Who has one and is refused two keeps the one.
    KeepsWhatItHad,
    /// Who finds one that listens sleeps until that one ends.
    TrustsOneListener,
    /// The holder does not listen at its second port, and waiters sleep all the same.
    SleepsBesideTheSilent,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    processes: Vec<Process>,
    ports: Ports,
    deaths_left: u8,
}

impl Model for Protocol {
    type State = State;
    type Action = (Pid, Action);

    fn init_states(&self) -> Vec<State> {
        let start = |program| Process::new(program, self.acquires);
        let lockattr = (0..self.lockattr).map(|_| start(Program::Lockattr));
        let k3portlock = (0..self.k3portlock).map(|_| start(Program::K3portlock));
        let stranger = self.stranger.then(|| start(Program::Stranger));
        vec![State {
            processes: lockattr.chain(k3portlock).chain(stranger).collect(),
            ports: Ports::default(),
            deaths_left: self.deaths,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<(Pid, Action)>) {
        for pid in 0..state.processes.len() {
            state.actions(pid, self.order, |action| actions.push((pid, action)));
        }
    }

    fn next_state(&self, last: &State, (pid, action): (Pid, Action)) -> Option<State> {
        let mut next = last.clone();
        next.act(pid, action, self.sabotage);
        // Processes of one program differ in nothing but their numbers.
        Some(next.canonical())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(EXCLUSION, |_, state: &State| {
                state.processes.iter().filter(|process| process.is_in_body()).count() <= 1
            }),
            Property::always(NOTHING_KEPT, |_, state: &State| {
                let mut resting =
                    (0..state.processes.len()).filter(|pid| state.processes[*pid].is_resting());
                resting.all(|pid| state.ports.of(pid).next().is_none())
            }),
            Property::always(TOLD, |_, state: &State| {
                (0..state.processes.len()).all(|pid| !state.sleeps_beside_a_free_lock(pid))
            }),
            // Those that race forever are in no dead end: chance parts them.
            Property::always(NO_DEAD_END, |protocol: &Protocol, state: &State| {
                state.can_end(protocol.order, protocol.sabotage)
            }),
            Property::sometimes(
                "as many as can have one port each",
                |protocol: &Protocol, state: &State| {
                    let processes = protocol.lockattr + protocol.k3portlock;
                    // In one order the third is refused two ports before it could have one.
                    let most = if protocol.order == Order::Any { processes } else { 2 };
                    (0..processes).filter(|pid| state.ports.of(*pid).count() == 1).count() == most
                },
            ),
            Property::sometimes("a waiter sleeps", |protocol: &Protocol, state: &State| {
                protocol.lockattr < 2
                    || state.processes.iter().any(|process| process.step == Step::Sleep)
            }),
        ]
    }
}

const EXCLUSION: &str = "never two in the body";
const NOTHING_KEPT: &str = "who waits or has given up has no port";
const TOLD: &str = "nobody sleeps beside a lock that is free";
const NO_DEAD_END: &str = "nobody waits for ever";

fn explore(protocol: Protocol) {
    let checker = protocol.checker().spawn_bfs().join();
    assert!(checker.is_done());
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// Explores the protocol with one mistake until `property` is found to be wrong.
fn assert_breaks(sabotage: Sabotage, property: &'static str) {
    let protocol =
        Protocol { stranger: true, sabotage: Some(sabotage), ..these(2, 0, 1, 1, Order::Any) };
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = protocol.checker().finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "nobody noticed: {property}");
}

fn these(lockattr: usize, k3portlock: usize, acquires: u8, deaths: u8, order: Order) -> Protocol {
    Protocol { lockattr, k3portlock, acquires, deaths, stranger: false, order, sabotage: None }
}

#[test]
fn two_that_die_at_every_step_are_never_two_holders_in_whatever_order_they_bind() {
    explore(these(2, 0, 2, 1, Order::Any));
    explore(these(1, 1, 2, 1, Order::Any));
}

#[test]
fn three_that_die_at_every_step_are_never_two_holders() {
    explore(these(3, 0, 1, 1, Order::Ascending));
    explore(these(2, 1, 1, 1, Order::Ascending));
    explore(these(1, 2, 1, 1, Order::Ascending));
}

#[test]
fn three_that_have_one_port_each_are_in_no_dead_end() {
    explore(these(3, 0, 1, 1, Order::Any));
}

#[test]
fn a_port_that_is_anothers_keeps_nobody_out_and_lets_nobody_in() {
    for order in [Order::Ascending, Order::Any] {
        explore(Protocol { stranger: true, ..these(2, 0, 1, 1, order) });
        explore(Protocol { stranger: true, ..these(1, 1, 1, 1, order) });
    }
}

#[test]
fn one_port_is_not_the_lock() {
    assert_breaks(Sabotage::IsContentWithOne, EXCLUSION);
}

#[test]
fn who_keeps_one_port_lets_all_wait_for_ever() {
    assert_breaks(Sabotage::KeepsWhatItHad, NO_DEAD_END);
    assert_breaks(Sabotage::KeepsWhatItHad, NOTHING_KEPT);
}

#[test]
fn one_listener_is_no_reason_to_sleep() {
    assert_breaks(Sabotage::TrustsOneListener, TOLD);
}

#[test]
fn a_port_that_does_not_listen_is_no_reason_to_sleep() {
    assert_breaks(Sabotage::SleepsBesideTheSilent, TOLD);
}
