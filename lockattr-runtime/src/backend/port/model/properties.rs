//! What is true of the protocol, in every state of the model, and what has to come up somewhere.

use stateright::Property;

use super::kernel::{Cause, OtherEnd, Peer, State};
use super::process::{Origin, Pid, Process, Program, Step};
use super::{Protocol, Sabotage};

pub(super) const EXCLUSION: &str = "never two in the body";
pub(super) const TENDED: &str = "who has the lock will use it, pass it on or free it";
pub(super) const REMEMBERED: &str = "who waits will be told";
pub(super) const NO_DEAD_END: &str = "nobody waits for ever";
pub(super) const NOTHING_KEPT: &str = "who gave up or released owns no descriptor";
pub(super) const IN_TURN: &str = "who is taken from the queue gets the lock";
pub(super) const NAMED: &str = "the kernel names the holder";
pub(super) const TOLD: &str = "nobody is told a wrong name";

pub(super) fn all(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut all = vec![
        Property::always(EXCLUSION, |protocol: &Protocol, state| {
            state.processes.iter().filter(|process| protocol.is_in_body(process)).count() <= 1
        }),
        Property::always(TENDED, |_, state: &State| {
            state.socket.is_none() || state.processes.iter().any(tends)
        }),
        Property::always(REMEMBERED, |_, state: &State| {
            !state.pids().any(|pid| is_forgotten(state, pid))
        }),
        // No run goes in circles: within an acquire a process goes back to `Bind` only when the socket
        // that it had found is gone, and each socket takes an acquire of somebody. So this means that
        // all come to their end even if nobody gives up.
        Property::always(NO_DEAD_END, |_, state: &State| {
            state.goes_on() || state.processes.iter().all(is_through)
        }),
        Property::always(NOTHING_KEPT, |_, state: &State| {
            let mut resting = state.processes.iter().filter(|process| is_resting(process));
            resting.all(|process| process.files.are_all_closed())
        }),
        Property::always(IN_TURN, |_, state: &State| !state.processes.iter().any(was_sent_away)),
        Property::always(NAMED, |_, state: &State| {
            let mut holders = state.pids().filter(|&pid| is_holder(state, pid));
            holders.all(|pid| state.named_holder() == Some(pid))
        }),
        Property::always(TOLD, |protocol: &Protocol, state: &State| {
            match told(state, protocol.sabotage) {
                Told::Holds(pid) => state.files(pid).listener,
                Told::OnItsWay { by, to } => is_handed(state, by, to),
                Told::Nothing => true,
            }
        }),
        Property::sometimes("an observer is told to whom the lock is on its way", |_, state| {
            matches!(told(state, None), Told::OnItsWay { .. })
        }),
        Property::sometimes("a lock that came too late is passed on", |_, state: &State| {
            is_any_at(state, Step::Listen(Origin::Late))
        }),
        Property::sometimes("the lock goes to the first in the queue", |_, state: &State| {
            is_any_at(state, Step::Listen(Origin::HandedOff))
        }),
        Property::sometimes("a waiter follows a holder that died", |_, state: &State| {
            is_any_at(state, Step::Listen(Origin::Inherited))
        }),
        Property::sometimes("a waiter dies with the lock on its way to it", |_, state: &State| {
            is_any_at(state, Step::Dead { socket_came: true })
        }),
        Property::sometimes(
            "the lock comes before the last look, and is kept",
            |_, state: &State| is_any_at(state, Step::Listen(Origin::LastLook)),
        ),
    ];
    if protocol.k3portlock > 0 {
        all.push(Property::sometimes(
            "k3portlock is faster than a queue that has lost its holder",
            |_, state: &State| {
                is_any_at(state, Step::Bind { bereft: true })
                    && state.processes.iter().any(|process| {
                        process.program == Program::K3portlock && process.step == Step::Body
                    })
            },
        ));
    }
    all
}

impl Protocol {
    fn is_in_body(&self, process: &Process) -> bool {
        let is_releasing = matches!(
            process.step,
            Step::LookIntoQueue
                | Step::Accept
                | Step::Note
                | Step::Send
                | Step::Unnote
                | Step::Close
        );
        process.step == Step::Body
            || is_releasing && self.sabotage == Some(Sabotage::HandsOffWithinTheBody)
    }
}

/// Whether the process has the lock and will use it, pass it on or free it; or will find that it has.
fn tends(process: &Process) -> bool {
    let files = &process.files;
    let socket_came = files.connection.is_some_and(|it| it.socket_came);
    match process.step {
        Step::Listen(_)
        | Step::Body
        | Step::LookIntoQueue
        | Step::Accept
        | Step::Note
        | Step::Send
        | Step::Unnote
        | Step::Close => files.listener,
        Step::Look | Step::LastLook => socket_came,
        Step::Dead { .. } => files.listener || socket_came,
        Step::Bind { .. } | Step::Connect | Step::HangUp | Step::Done => false,
    }
}

/// What an observer is told who looks now: `Port::describe`.
enum Told {
    Holds(Pid),
    OnItsWay {
        by: Pid,
        to: Pid,
    },
    /// Nobody listens; or the one who does has released, and a search tells what is true.
    Nothing,
}

fn told(state: &State, sabotage: Option<Sabotage>) -> Told {
    let Some(peer) = state.named_holder() else { return Told::Nothing };
    let lives = |pid: Pid| !matches!(state.processes[usize::from(pid)].step, Step::Dead { .. });
    match state.record.handed {
        _ if sabotage == Some(Sabotage::AsksTheKernelAlone) => Told::Holds(peer),
        Some((by, Some(to))) if by == peer && lives(to) => Told::OnItsWay { by, to },
        _ if !lives(peer) => Told::Nothing,
        Some((by, _)) if by == peer => Told::Nothing,
        _ if state.record.about == Some(peer) && state.record.has_ended => Told::Nothing,
        _ => Told::Holds(peer),
    }
}

/// Whether the lock is on its way, or who passes it on is just about it.
///
/// Two excuses. The receiver had no free descriptor, the kernel has dropped what was sent, and the address
/// is bound still because a process that has let go is stopped before its `close`, or is dying. Or the giver
/// has died between its note and its send, and such a process is left.
fn is_handed(state: &State, by: Pid, to: Pid) -> bool {
    let step = |pid: Pid| state.processes[usize::from(pid)].step;
    let has_copy = |pid: Pid| {
        state.files(pid).listener && matches!(step(pid), Step::Close | Step::Dead { .. })
    };
    let receiver = state.files(to);
    matches!(step(by), Step::Send | Step::Unnote | Step::Dead { .. })
        || receiver.listener
        || receiver.connection.is_some_and(|it| it.socket_came)
        || state.pids().any(has_copy)
}

/// Whether a lockattr process is in its body.
fn is_holder(state: &State, pid: Pid) -> bool {
    let process = &state.processes[usize::from(pid)];
    process.program == Program::Lockattr && process.step == Step::Body
}

/// Whether nobody will ever tell this waiter anything.
fn is_forgotten(state: &State, pid: Pid) -> bool {
    let process = &state.processes[usize::from(pid)];
    let Some(connection) = process.files.connection.filter(|_| process.step == Step::Look) else {
        return false;
    };
    let knows = |other: &Process| match other.files.accepted {
        Some(Peer::Waiter(waiter)) => waiter == pid && !is_resting(other),
        _ => false,
    };
    match connection.other_end {
        _ if connection.is_readable() => false,
        OtherEnd::InTheQueue => state.place(pid).is_none(),
        OtherEnd::Accepted => !state.processes.iter().any(knows),
        OtherEnd::Closed(_) => false,
    }
}

/// Whether a waiter was accepted and its connection closed, without the lock, by one who could send.
fn was_sent_away(process: &Process) -> bool {
    process.step == Step::Look
        && process.files.connection.is_some_and(|connection| {
            connection.other_end == OtherEnd::Closed(Cause::HangUp) && !connection.socket_came
        })
}

/// Whether the process is between two acquires, or tries one without a place in the queue.
fn is_resting(process: &Process) -> bool {
    matches!(process.step, Step::Bind { .. } | Step::Connect | Step::Done)
}

fn is_through(process: &Process) -> bool {
    matches!(process.step, Step::Done | Step::Dead { .. })
}

fn is_any_at(state: &State, step: Step) -> bool {
    state.processes.iter().any(|process| process.step == step)
}
