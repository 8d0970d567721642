//! Who takes part in the model, and what each can do next.

use stateright::{Model, Property};

use super::memory::{Actor, File, Operation, Seen, Shared, Step, Stopped, Text, FOREIGN, RUBBISH};
use super::properties::{self, History};
use super::routine::{self, Outcome, Routine};
use crate::record::owner::{Owner, Phase};

/// How many take part, and what they may do.
#[allow(clippy::struct_excessive_bools)] // each a thing that they may do
#[derive(Debug, Clone, Copy)]
pub(super) struct System {
    /// Processes of lockattr.
    pub(super) lockattrs: usize,
    /// Programs of resourcelock.
    pub(super) foreigners: usize,
    /// How often each takes the lock.
    pub(super) rounds: u8,
    /// How often the lock is released by force, with either program.
    pub(super) forces: u8,
    /// How often the semaphore's file is removed: once at most.
    pub(super) removals: u8,
    /// How often a long text goes over a holder's word.
    pub(super) overwrites: u8,
    /// How often a holder changes its text.
    pub(super) texts: u8,
    /// The first two of lockattr are threads of one process.
    pub(super) has_threads: bool,
    /// Claims may be abandoned, as a future is that is dropped.
    pub(super) abandons: bool,
    /// Holders may leave the lock taken.
    pub(super) detaches: bool,
    pub(super) sabotage: Option<Sabotage>,
}

/// A way to break the protocol on purpose: what the memory does instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sabotage {
    /// The owner word is stored, whatever stands there.
    PlainStore,
    /// A text is not looked at: it is always an owner's.
    AnyText,
    /// Every process but one's own is dead.
    NobodyElseLives,
    /// The text is written as it comes, and its digest behind it, without a mark.
    NoMark,
    /// A text that is changed is not marked, and its digest is written before it.
    NoMarkOfAChange,
    /// The text is marked after the word is written, not before.
    MarkAfterTheWord,
    /// A unit of any semaphore is taken for one of the owner's.
    OneSemaphore,
    /// A dead owner is followed with a unit of any semaphore.
    AnySuccessor,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) shared: Shared,
    pub(super) lockattrs: Vec<Lockattr>,
    pub(super) foreigners: Vec<Foreigner>,
    /// An `unget` has seen the lock taken, and is about to post; whether a live process has
    /// had it meanwhile.
    pub(super) unget: Option<bool>,
    pub(super) forces: u8,
    pub(super) removals: u8,
    pub(super) overwrites: u8,
    pub(super) texts: u8,
    /// As the system's.
    has_threads: bool,
    pub(super) history: History,
}

#[allow(clippy::struct_excessive_bools)] // each a thing that may have happened
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lockattr {
    pub(super) is_alive: bool,
    pub(super) rounds: u8,
    pub(super) stage: Stage,
    /// The semaphore that it has opened.
    pub(super) file: File,
    /// Has a unit, and the word does not tell: not yet, or not any more.
    pub(super) has_bare_unit: bool,
    /// Has looked at the text while a foreigner had yet to write its own.
    pub(super) looked_in_the_window: bool,
    /// Has looked at the text while another one had a unit and no word yet.
    pub(super) looked_before_a_word: bool,
    /// A live process had the lock while this one was about to release it by force.
    pub(super) forces_a_living: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Idle,
    /// In a routine, with what it has seen so far.
    In(Routine, Vec<Seen>),
    /// Waits for a moment before it inherits.
    Claims,
    Body,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Foreigner {
    is_alive: bool,
    rounds: u8,
    stage: ForeignStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ForeignStage {
    Idle,
    /// Has a unit, and has yet to write its text.
    Took,
    Body,
    /// Has seen that the value is 0, and is about to post.
    Posts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The next operation of a lockattr process.
    Step(usize),
    /// A claimer's semaphore has a unit.
    Wake(usize),
    /// A claimer goes away, and leaves its claim.
    Abandon(usize),
    Detach(usize),
    /// A holder begins to change its text.
    SetInfo(usize),
    Force(usize),
    /// Finds that the file is another one, and opens it.
    Reopen(usize),
    Kill(usize),
    ForeignStep(usize),
    ForeignKill(usize),
    /// resourcelock's `unget`, by a process that does not hold.
    Unget,
    /// The semaphore's file is removed; the next one to open it makes it anew.
    Remove,
    /// A text longer than a record's goes over the word of a process in its body.
    Overwrite,
    /// An opener makes a record of what is none.
    Repair,
}

impl System {
    pub(super) const fn of(lockattrs: usize, foreigners: usize) -> Self {
        Self {
            lockattrs,
            foreigners,
            rounds: 1,
            forces: 0,
            removals: 0,
            overwrites: 0,
            texts: 0,
            has_threads: false,
            abandons: false,
            detaches: false,
            sabotage: None,
        }
    }

    /// Does the next operation of a lockattr process.
    fn step(&self, state: &mut State, index: usize) {
        let (routine, seen) = match &state.lockattrs[index].stage {
            Stage::Idle => (Routine::Acquire, Vec::new()),
            Stage::Claims => (Routine::Inherit, Vec::new()),
            Stage::Body => (Routine::Release, Vec::new()),
            Stage::In(routine, seen) => (*routine, seen.clone()),
        };
        self.step_in(state, index, routine, seen);
    }

    fn begin(&self, state: &mut State, index: usize, routine: Routine) {
        self.step_in(state, index, routine, Vec::new());
    }

    fn step_in(&self, state: &mut State, index: usize, routine: Routine, mut seen: Vec<Seen>) {
        let me = state.word(index);
        let file = state.lockattrs[index].file;
        let living = state.living();
        let died = |owner: Owner| match self.sabotage {
            Some(Sabotage::NobodyElseLives) => owner.process() != me.process(),
            _ => living & 1 << owner.pid() == 0,
        };
        let has_unit = state.shared.values[usize::from(file)] > 0;
        let is_in_the_window = state.foreigners.iter().any(Foreigner::is_in_the_window);
        let is_before_a_word = state.lockattrs.iter().any(|process| process.has_bare_unit);
        let signs = self.removals > 0;
        let actor = Actor { died: &died, me, file, signs, sabotage: self.sabotage };
        let step = Step::new(&mut state.shared, actor, &seen);
        let text = Text::try_from(1 + 2 * index).unwrap() + state.lockattrs[index].rounds % 2;
        let outcome = routine::run(routine, &step, text);
        let done = step.done();

        let process = &mut state.lockattrs[index];
        if let Some((operation, result)) = done {
            seen.push(result);
            let posts = |from: Owner| match routine {
                Routine::Detach => false,
                Routine::Force => true,
                _ => from == me.that(Phase::Holds),
            };
            match operation {
                Operation::TryWait if matches!(routine, Routine::Acquire | Routine::Wake) => {
                    process.has_bare_unit = result != 0;
                }
                Operation::Swap(from, to) if result != 0 => {
                    process.has_bare_unit = to.is_nobody() && posts(from);
                }
                Operation::ReadText => {
                    process.looked_in_the_window |= is_in_the_window;
                    process.looked_before_a_word |= is_before_a_word;
                }
                Operation::Post => {
                    process.has_bare_unit = false;
                    if routine == Routine::Force {
                        state.history.was_torn |= process.forces_a_living || has_unit;
                        state.history.is_left = false;
                    }
                }
                _ => {}
            }
        }
        match outcome {
            Err(Stopped) => state.lockattrs[index].stage = Stage::In(routine, seen),
            Ok(outcome) => state.conclude(index, outcome),
        }
    }

    /// A forced release looks first: it may meet a living holder at any time until it posts.
    fn note_the_torn(&self, state: &mut State) {
        if let Some(is_torn) = state.unget {
            state.unget = Some(is_torn || state.is_held_but_by(None));
        }
        for index in 0..self.lockattrs {
            if matches!(state.lockattrs[index].stage, Stage::In(Routine::Force, _)) {
                let is_held = state.is_held_but_by(Some(index));
                state.lockattrs[index].forces_a_living |= is_held;
            }
        }
    }

    /// Kills a process, with all its threads.
    fn kill(&self, state: &mut State, index: usize) {
        for thread in 0..self.lockattrs {
            if state.pid(thread) != state.pid(index) {
                continue;
            }
            let word = state.word(thread);
            let process = &mut state.lockattrs[thread];
            let is_owner = Owner(state.shared.owner).process() == word.process();
            let history = &mut state.history;
            history.has_orphan |= process.has_bare_unit;
            history.died_under_a_foreign_text |=
                (is_owner || process.holds() || process.ends()) && state.shared.text_is_foreign();
            history.died_inside |= process.is_inside();
            *process = Lockattr { is_alive: false, ..Lockattr::new(0) };
        }
    }

    fn foreign_step(state: &mut State, index: usize) {
        let foreigner = &mut state.foreigners[index];
        let value = &mut state.shared.values[0];
        foreigner.stage = match foreigner.stage {
            ForeignStage::Idle => {
                *value -= 1;
                ForeignStage::Took
            }
            ForeignStage::Took => {
                let text = 2 * u8::try_from(index).unwrap() + foreigner.rounds % 2;
                state.shared.text = FOREIGN + text;
                ForeignStage::Body
            }
            // It gives nothing back if the lock is free already.
            ForeignStage::Body if *value == 0 => ForeignStage::Posts,
            ForeignStage::Body => {
                foreigner.rounds -= 1;
                ForeignStage::Idle
            }
            ForeignStage::Posts => {
                *value += 1;
                foreigner.rounds -= 1;
                ForeignStage::Idle
            }
        };
    }

    fn unget(state: &mut State) {
        let value = &mut state.shared.values[usize::from(state.shared.named)];
        state.unget = match state.unget {
            None => {
                state.forces -= 1;
                Some(false)
            }
            Some(is_torn) => {
                state.history.was_torn |= is_torn || *value > 0;
                state.history.is_left = false;
                *value += 1;
                None
            }
        };
    }

    /// What a lockattr process can do next.
    fn actions_of(&self, state: &State, index: usize, actions: &mut Vec<Action>) {
        let process = &state.lockattrs[index];
        actions.push(Action::Kill(index));
        match process.stage {
            Stage::Idle => {
                if process.rounds > 0 {
                    actions.push(Action::Step(index));
                }
                if state.forces > 0 {
                    actions.push(Action::Force(index));
                }
                if process.file != state.shared.named {
                    actions.push(Action::Reopen(index));
                }
            }
            Stage::In(..) => actions.push(Action::Step(index)),
            Stage::Claims => {
                actions.push(Action::Step(index));
                if state.shared.values[usize::from(process.file)] > 0 {
                    actions.push(Action::Wake(index));
                }
                if self.abandons {
                    actions.push(Action::Abandon(index));
                }
            }
            Stage::Body => {
                actions.push(Action::Step(index));
                if self.detaches {
                    actions.push(Action::Detach(index));
                }
                if state.texts > 0 {
                    actions.push(Action::SetInfo(index));
                }
            }
        }
    }
}

/// The number of the process that has written a word, and in which round: [`State::word`] puts them there.
pub(super) fn index_in(word: Owner) -> (usize, u64) {
    (usize::try_from(word.turn() % 8).unwrap(), word.turn() / 8)
}

impl State {
    pub(super) fn pid(&self, index: usize) -> u64 {
        1 + if self.has_threads { index.saturating_sub(1) } else { index } as u64
    }

    fn word(&self, index: usize) -> Owner {
        let turn = u64::from(self.lockattrs[index].rounds) * 8 + index as u64;
        Owner(self.pid(index)).in_turn(turn)
    }

    /// A bit for each process that lives.
    fn living(&self) -> u64 {
        let living = self.lockattrs.iter().enumerate().filter(|(_, process)| process.is_alive);
        living.fold(0, |bits, (index, _)| bits | 1 << self.pid(index))
    }

    /// Who is dead, by the owner word.
    fn died(&self, owner: Owner) -> bool {
        self.living() & 1 << owner.pid() == 0
    }

    pub(super) fn owner_lives(&self) -> bool {
        let owner = Owner(self.shared.owner);
        !owner.is_nobody() && !owner.claims() && !self.died(owner)
    }

    /// Whether any live process, but for one, has the lock or a part of it.
    fn is_held_but_by(&self, one: Option<usize>) -> bool {
        let owner = Owner(self.shared.owner);
        let is_ones = one.is_some_and(|one| owner.process() == self.word(one).process());
        let lives = !owner.is_nobody() && !self.died(owner);
        self.holders() > 0
            || self.has_foreign_holder()
            || self.lockattrs.iter().any(|process| process.has_bare_unit)
            || !is_ones && lives
    }

    /// Lockattr's processes that believe that they hold.
    pub(super) fn holders(&self) -> usize {
        self.lockattrs.iter().filter(|process| process.holds()).count()
    }

    pub(super) fn has_foreign_holder(&self) -> bool {
        self.foreigners.iter().any(Foreigner::holds)
    }

    pub(super) fn all_rest(&self) -> bool {
        self.unget.is_none()
            && self.lockattrs.iter().all(|process| process.stage == Stage::Idle)
            && !self.has_foreign_holder()
    }

    /// A routine of a lockattr process has ended.
    fn conclude(&mut self, index: usize, outcome: Outcome) {
        let any_died = self.lockattrs.iter().any(|process| !process.is_alive);
        let (process, history) = (&mut self.lockattrs[index], &mut self.history);
        process.stage = match outcome {
            Outcome::Owns => {
                history.was_in_the_window |= process.looked_in_the_window;
                history.was_before_a_word |= process.looked_before_a_word;
                Stage::In(Routine::Grant, Vec::new())
            }
            Outcome::Claimed => Stage::Claims,
            Outcome::Granted(is_told) => {
                history.was_told |= is_told;
                history.was_told_of_nothing |= is_told && !any_died;
                history.was_untold |= !is_told && history.died_inside;
                history.died_inside = false;
                Stage::Body
            }
            Outcome::TextSet => Stage::Body,
            Outcome::NotYet | Outcome::Forced => Stage::Idle,
            Outcome::Released | Outcome::Detached => {
                history.is_left |= outcome == Outcome::Detached;
                process.rounds -= 1;
                Stage::Idle
            }
        };
        process.has_bare_unit = false;
        process.looked_in_the_window = false;
        process.looked_before_a_word = false;
        process.forces_a_living = false;
    }
}

impl Lockattr {
    fn new(rounds: u8) -> Self {
        Self {
            is_alive: true,
            rounds,
            stage: Stage::Idle,
            file: 0,
            has_bare_unit: false,
            looked_in_the_window: false,
            looked_before_a_word: false,
            forces_a_living: false,
        }
    }

    fn holds(&self) -> bool {
        self.is_inside() || matches!(self.stage, Stage::In(Routine::Grant, _))
    }

    /// Is in its body, where it may be changing its text.
    fn is_inside(&self) -> bool {
        matches!(self.stage, Stage::Body | Stage::In(Routine::SetInfo, _))
    }
}

impl Lockattr {
    /// Is about to let go of the lock.
    fn ends(&self) -> bool {
        matches!(self.stage, Stage::In(Routine::Release | Routine::Detach, _))
    }
}

impl Foreigner {
    /// What tells it from others but its number.
    pub(super) fn key(&self) -> (bool, u8, u8) {
        (self.is_alive, self.rounds, self.stage as u8)
    }

    fn holds(&self) -> bool {
        self.is_alive && self.stage != ForeignStage::Idle
    }

    fn is_in_the_window(&self) -> bool {
        self.is_alive && self.stage == ForeignStage::Took
    }
}

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let foreigner =
            Foreigner { is_alive: true, rounds: self.rounds, stage: ForeignStage::Idle };
        vec![State {
            shared: Shared { values: [1, 1], is_released: true, ..Shared::default() },
            lockattrs: vec![Lockattr::new(self.rounds); self.lockattrs],
            foreigners: vec![foreigner; self.foreigners],
            unget: None,
            forces: self.forces,
            removals: self.removals,
            overwrites: self.overwrites,
            texts: self.texts,
            has_threads: self.has_threads,
            history: History::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, process) in state.lockattrs.iter().enumerate() {
            if process.is_alive {
                self.actions_of(state, index, actions);
            }
        }
        for (index, foreigner) in state.foreigners.iter().enumerate() {
            if !foreigner.is_alive {
                continue;
            }
            actions.push(Action::ForeignKill(index));
            let can_take = foreigner.rounds > 0 && state.shared.values[0] > 0;
            if foreigner.stage != ForeignStage::Idle || can_take {
                actions.push(Action::ForeignStep(index));
            }
        }
        let is_taken = state.shared.values[usize::from(state.shared.named)] == 0;
        if state.unget.is_some() || state.forces > 0 && is_taken {
            actions.push(Action::Unget);
        }
        if state.removals > 0 {
            actions.push(Action::Remove);
        }
        let is_in_a_body = state.lockattrs.iter().any(Lockattr::is_inside);
        if state.overwrites > 0 && is_in_a_body {
            actions.push(Action::Overwrite);
        }
        if state.shared.owner == RUBBISH {
            actions.push(Action::Repair);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Step(index) => self.step(&mut state, index),
            Action::Wake(index) => self.begin(&mut state, index, Routine::Wake),
            Action::Detach(index) => self.begin(&mut state, index, Routine::Detach),
            Action::SetInfo(index) => {
                state.texts -= 1;
                self.begin(&mut state, index, Routine::SetInfo);
            }
            Action::Force(index) => {
                state.forces -= 1;
                self.begin(&mut state, index, Routine::Force);
            }
            Action::Abandon(index) => {
                // The next attempt has another turn.
                state.lockattrs[index].rounds -= 1;
                state.lockattrs[index].stage = Stage::Idle;
            }
            Action::Reopen(index) => state.lockattrs[index].file = state.shared.named,
            Action::Kill(index) => self.kill(&mut state, index),
            Action::ForeignStep(index) => Self::foreign_step(&mut state, index),
            Action::ForeignKill(index) => {
                let foreigner = &mut state.foreigners[index];
                state.history.foreigner_died |= foreigner.holds();
                *foreigner = Foreigner { is_alive: false, rounds: 0, stage: ForeignStage::Idle };
            }
            Action::Unget => Self::unget(&mut state),
            Action::Remove => {
                state.removals -= 1;
                state.shared.named = 1;
            }
            Action::Overwrite => {
                state.overwrites -= 1;
                let shared = &mut state.shared;
                (shared.owner, shared.text, shared.recorded) = (RUBBISH, u8::MAX, u8::MAX - 1);
                (shared.signed, shared.is_released) = ((RUBBISH, 0), true);
                state.history.was_overwritten = true;
            }
            Action::Repair => state.shared.owner = 0,
        }
        self.note_the_torn(&mut state);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(*self)
    }
}
