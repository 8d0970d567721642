//! The processes' part of the model: what they do, one system call at a time.

use super::ports::Port;
use super::{Order, Sabotage, State};

pub(super) type Pid = usize;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Process {
    program: Program,
    pub(super) step: Step,
    /// How many times it will want the lock, this time included.
    wants: u8,
    /// What became of the ports that it has tried to bind in this race.
    tried: [Option<bool>; 3],
    connections: [Link; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Program {
    Lockattr,
    /// It binds all three, does not listen, and tries again and again.
    K3portlock,
    /// It has one of the ports for a while, for itself.
    Stranger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Link {
    None,
    Established,
    Ended,
}

/// What a process does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    Bind,
    /// It lost, and lets go of what it had.
    LetGo,
    /// To what was refused.
    Connect,
    /// Until a connection ends.
    Sleep,
    Listen,
    /// A stranger just has its port.
    Body,
    Release,
    Done,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Bind(usize),
    Close(usize),
    Connect(usize),
    /// `Attempt::next`, when a connection has ended, or when there were not two.
    Again,
    Listen(usize),
    EndBody,
    GiveUp,
    Die,
}

impl Process {
    pub(super) fn new(program: Program, wants: u8) -> Self {
        Self { program, step: Step::Bind, wants, tried: [None; 3], connections: [Link::None; 3] }
    }

    pub(super) fn is_in_body(&self) -> bool {
        self.step == Step::Body && self.program != Program::Stranger
    }

    pub(super) fn is_through(&self) -> bool {
        matches!(self.step, Step::Done | Step::Dead)
    }

    pub(super) fn is_resting(&self) -> bool {
        matches!(self.step, Step::Connect | Step::Sleep | Step::Done)
            || self.step == Step::Bind && self.tried == [None; 3]
    }

    fn count(&self, outcome: bool) -> usize {
        self.tried.iter().filter(|tried| **tried == Some(outcome)).count()
    }

    fn has_news(&self) -> bool {
        self.connections.contains(&Link::Ended)
    }

    /// Where it goes when a race is decided, or goes on.
    fn after_bind(&mut self, sabotage: Option<Sabotage>) {
        let enough = if sabotage == Some(Sabotage::IsContentWithOne) { 1 } else { 2 };
        let (had, refused) = (self.count(true), self.count(false));
        self.step = match self.program {
            Program::Lockattr if had >= enough => Step::Listen,
            Program::Lockattr if refused == 2 && had > 0 => Step::LetGo,
            Program::Lockattr if refused == 2 => Step::Connect,
            Program::K3portlock if had + refused == 3 && had >= 2 => Step::Body,
            Program::K3portlock if had + refused == 3 && had > 0 => Step::LetGo,
            Program::K3portlock if had + refused == 3 => return self.start_again(),
            Program::Stranger if had == 1 => Step::Body,
            Program::Stranger => return self.start_again(),
            _ => Step::Bind,
        };
        if self.step == Step::LetGo && sabotage == Some(Sabotage::KeepsWhatItHad) {
            self.step = Step::Connect;
        }
        if matches!(self.step, Step::Listen | Step::Body) {
            self.tried = [None; 3]; // told by the ports themselves
        }
    }

    fn start_again(&mut self) {
        (self.step, self.tried, self.connections) = (Step::Bind, [None; 3], [Link::None; 3]);
    }

    /// The end of an acquire.
    fn end(&mut self) {
        self.start_again();
        self.wants -= 1;
        if self.wants == 0 {
            self.step = Step::Done;
        }
    }
}

impl State {
    pub(super) fn actions(&self, pid: Pid, order: Order, mut add: impl FnMut(Action)) {
        let process = &self.processes[pid];
        match process.step {
            Step::Bind => {
                let in_any_order = order == Order::Any || process.program == Program::Stranger;
                let choices = if in_any_order { 3 } else { 1 };
                let untried = (0..3).filter(|port| process.tried[*port].is_none());
                untried.take(choices).for_each(|port| add(Action::Bind(port)));
                if process.is_resting() {
                    add(Action::GiveUp);
                }
            }
            Step::LetGo | Step::Release | Step::Dead => {
                self.ports.of(pid).for_each(|port| add(Action::Close(port)));
            }
            Step::Connect => match self.next_to_connect(pid) {
                Some(port) => add(Action::Connect(port)),
                None => add(Action::Again),
            },
            Step::Sleep => {
                if process.has_news() {
                    add(Action::Again);
                }
                add(Action::GiveUp);
            }
            Step::Listen => {
                let mut silent = self.ports.of(pid).filter(|port| !self.ports.listens(*port));
                add(silent.next().map_or(Action::EndBody, Action::Listen));
            }
            Step::Body => add(Action::EndBody),
            Step::Done => {}
        }
        if self.deaths_left > 0 && !process.is_through() && process.program != Program::Stranger {
            add(Action::Die);
        }
    }

    /// A port that was refused and that it is not connected to yet.
    fn next_to_connect(&self, pid: Pid) -> Option<usize> {
        let process = &self.processes[pid];
        (0..3).find(|port| process.tried[*port] == Some(false))
    }

    pub(super) fn act(&mut self, pid: Pid, action: Action, sabotage: Option<Sabotage>) {
        match action {
            Action::Bind(port) => {
                let is_free = self.ports.is_free(port);
                let process = &mut self.processes[pid];
                if is_free {
                    // A stranger's listens: that is worse than one that does not.
                    let listens = process.program == Program::Stranger;
                    self.ports.0[port] = Port::Bound { by: pid, listens };
                }
                process.tried[port] = Some(is_free);
                process.after_bind(sabotage);
            }
            Action::Connect(port) => {
                let answers = self.ports.listens(port)
                    || sabotage == Some(Sabotage::SleepsBesideTheSilent)
                        && !self.ports.is_free(port);
                let process = &mut self.processes[pid];
                process.tried[port] = None;
                process.connections[port] = if answers { Link::Established } else { Link::None };
                let established =
                    process.connections.iter().filter(|link| **link == Link::Established).count();
                let enough = if sabotage == Some(Sabotage::TrustsOneListener) { 1 } else { 2 };
                if !process.tried.contains(&Some(false)) && established >= enough {
                    process.step = Step::Sleep;
                }
            }
            Action::Again => self.processes[pid].start_again(),
            Action::Listen(port) => self.ports.0[port] = Port::Bound { by: pid, listens: true },
            Action::EndBody => {
                let process = &mut self.processes[pid];
                process.step = match process.step {
                    Step::Listen => Step::Body,
                    _ => Step::Release,
                };
            }
            Action::Close(port) => {
                self.close(port);
                let has_none = self.ports.of(pid).next().is_none();
                let process = &mut self.processes[pid];
                match (process.step, process.program) {
                    (Step::Release, _) if has_none => process.end(),
                    (Step::LetGo, Program::Lockattr) if has_none => process.step = Step::Connect,
                    (Step::LetGo, _) if has_none => process.start_again(),
                    _ => {}
                }
            }
            Action::GiveUp => self.processes[pid].end(),
            Action::Die => {
                self.deaths_left -= 1;
                let process = &mut self.processes[pid];
                process.start_again();
                process.step = Step::Dead;
            }
        }
    }

    fn close(&mut self, port: usize) {
        if self.ports.listens(port) {
            for process in &mut self.processes {
                let link = &mut process.connections[port];
                if *link == Link::Established {
                    *link = Link::Ended;
                }
            }
        }
        self.ports.0[port] = Port::Free;
    }

    pub(super) fn sleeps_beside_a_free_lock(&self, pid: Pid) -> bool {
        let process = &self.processes[pid];
        let free = (0..3).filter(|port| self.ports.is_free(*port)).count();
        process.step == Step::Sleep && !process.has_news() && free >= 2
    }

    /// Whether all come to their end without giving up, if from here on one runs at a time, each until it waits
    /// or is through.
    pub(super) fn can_end(&self, order: Order, sabotage: Option<Sabotage>) -> bool {
        const ROUNDS: usize = 8;

        let mut state = self.clone();
        for _ in 0..ROUNDS {
            if state.processes.iter().all(Process::is_through) {
                return true;
            }
            for pid in 0..state.processes.len() {
                state.run_alone(pid, order, sabotage);
            }
        }
        state.processes.iter().all(Process::is_through)
    }

    /// The least of all states that differ from this one in the numbers of processes only.
    pub(super) fn canonical(self) -> Self {
        let alike = |one: Pid, other: Pid| {
            other < self.processes.len()
                && self.processes[one].program == self.processes[other].program
        };
        let swaps: &[(Pid, Pid)] = match (alike(0, 1), alike(1, 2)) {
            // Each permutation of three is one swap away from the one before.
            (true, true) => &[(0, 1), (1, 2), (0, 1), (1, 2), (0, 1)],
            (true, false) => &[(0, 1)],
            (false, true) => &[(1, 2)],
            (false, false) => &[],
        };
        let mut permuted = self.clone();
        let mut least = self;
        for (one, other) in swaps {
            permuted.swap(*one, *other);
            if permuted < least {
                least = permuted.clone();
            }
        }
        least
    }

    fn swap(&mut self, one: Pid, other: Pid) {
        self.processes.swap(one, other);
        for port in &mut self.ports.0 {
            match port {
                Port::Bound { by, .. } if *by == one => *by = other,
                Port::Bound { by, .. } if *by == other => *by = one,
                _ => {}
            }
        }
    }

    fn run_alone(&mut self, pid: Pid, order: Order, sabotage: Option<Sabotage>) {
        const STEPS: usize = 40;

        for _ in 0..STEPS {
            let mut next = None;
            self.actions(pid, order, |action| {
                if !matches!(action, Action::GiveUp | Action::Die) {
                    next.get_or_insert(action);
                }
            });
            let Some(action) = next else { return };
            self.act(pid, action, sabotage);
        }
    }
}
