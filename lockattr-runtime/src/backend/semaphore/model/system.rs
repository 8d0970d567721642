//! Who takes part in the model, what each can do next, and what must hold.

use stateright::{Model, Property};

use super::super::protocol::{self, Look, Memory, Taken};
use super::memory::{Operation, Seen, Shared, Step, Stopped, Text};
use crate::record::owner::Owner;

/// How many take part, and what they may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct System {
    /// Processes of lockattr.
    pub(super) lockattrs: usize,
    /// Programs of resourcelock.
    pub(super) foreigners: usize,
    /// How often each takes the lock.
    pub(super) rounds: u8,
    /// How often somebody releases it by force, with either program.
    pub(super) forces: u8,
    /// The first two of lockattr are threads of one process.
    pub(super) has_threads: bool,
    pub(super) sabotage: Option<Sabotage>,
}

/// A way to break the protocol on purpose: what the memory does instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sabotage {
    /// The owner word is stored, whatever stands there.
    PlainStore,
    /// A text is not looked at: it is always an owner's.
    AnyText,
    /// Who is not oneself is dead.
    NobodyElseLives,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    shared: Shared,
    lockattrs: Vec<Lockattr>,
    foreigners: Vec<Foreigner>,
    /// An `unget` has seen the lock taken, and is about to post; whether somebody alive has
    /// had it meanwhile.
    unget: Option<bool>,
    forces: u8,
    history: History,
}

/// What has happened that excuses what else must not.
#[allow(clippy::struct_excessive_bools)] // each a thing that may have happened
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct History {
    /// A live holder's lock was forced open, or a free one: it was posted twice.
    was_torn: bool,
    /// A lock was inherited between a foreign taking and its text.
    was_in_the_window: bool,
    /// A lock was inherited between another one's taking and its word.
    was_before_a_word: bool,
    /// Somebody died with a unit and without his word and text.
    has_orphan: bool,
    foreigner_died: bool,
}

#[allow(clippy::struct_excessive_bools)] // as above
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Lockattr {
    is_alive: bool,
    rounds: u8,
    stage: Stage,
    /// Has a unit, and the word does not tell: not yet, or not any more.
    has_bare_unit: bool,
    /// Has looked at the text while a foreigner had yet to write his.
    looked_in_the_window: bool,
    /// Has looked at the text while another one had a unit and no word yet.
    looked_before_a_word: bool,
    /// Somebody alive had the lock while this one was about to release it by force.
    forces_a_living: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    /// In a routine, with what it has seen so far.
    In(Routine, Vec<Seen>),
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Routine {
    Acquire,
    /// Owns the lock, and writes the record.
    Grant,
    Release,
    Force,
}

/// How a routine ended.
enum Outcome {
    Owns,
    /// Looks again, or gives up: both begin anew.
    NotYet,
    Granted,
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Foreigner {
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
    Force(usize),
    Kill(usize),
    ForeignStep(usize),
    ForeignKill(usize),
    /// resourcelock's `unget`, by somebody who does not hold.
    Unget,
}

pub(super) const BOTH_BY_FORCE: &str =
    "a live holder's lock that is forced open lets a foreigner in";
pub(super) const BOTH_IN_THE_WINDOW: &str = "between a foreign taking and its text one can inherit";
pub(super) const BOTH_BEFORE_A_WORD: &str =
    "between another one's taking and its word one can inherit";
pub(super) const LOST_BY_AN_ORPHAN: &str = "who dies between his unit and his word leaves it taken";
pub(super) const ONE_HOLDER: &str = "never two holders of lockattr";
pub(super) const NOT_BOTH: &str = "no foreigner beside a holder without an excuse";
pub(super) const NOT_LOST: &str = "never lost without an excuse";

impl System {
    pub(super) const fn of(lockattrs: usize, foreigners: usize) -> Self {
        Self { lockattrs, foreigners, rounds: 1, forces: 0, has_threads: false, sabotage: None }
    }

    fn pid(&self, index: usize) -> u64 {
        1 + if self.has_threads { index.saturating_sub(1) } else { index } as u64
    }

    fn word(&self, state: &State, index: usize) -> Owner {
        let turn = u64::from(state.lockattrs[index].rounds) * 8 + index as u64;
        Owner(self.pid(index)).in_turn(turn)
    }

    /// Who is dead, by the owner word.
    fn died(&self, state: &State, owner: Owner) -> bool {
        let mut of_process = state.lockattrs.iter().enumerate();
        !of_process
            .any(|(index, process)| self.pid(index) == u64::from(owner.pid()) && process.is_alive)
    }

    fn owner_lives(&self, state: &State) -> bool {
        let owner = Owner(state.shared.owner);
        !owner.is_nobody() && !self.died(state, owner)
    }

    /// Does the next operation of a lockattr process.
    fn step(&self, state: &mut State, index: usize) {
        let (routine, seen) = match &state.lockattrs[index].stage {
            Stage::Idle => (Routine::Acquire, Vec::new()),
            Stage::Body => (Routine::Release, Vec::new()),
            Stage::In(routine, seen) => (*routine, seen.clone()),
        };
        self.step_in(state, index, routine, seen);
    }

    fn step_in(&self, state: &mut State, index: usize, routine: Routine, mut seen: Vec<Seen>) {
        let me = self.word(state, index);
        let before = state.clone();
        let died = |owner: Owner| match self.sabotage {
            Some(Sabotage::NobodyElseLives) => owner.process() != me.process(),
            _ => self.died(&before, owner),
        };
        let step = Step::new(&mut state.shared, &died, me, &seen, self.sabotage);
        let text = Text::try_from(1 + 2 * index).unwrap() + state.lockattrs[index].rounds % 2;
        let outcome = run(routine, &step, text);
        let done = step.done();

        let process = &mut state.lockattrs[index];
        if let Some((operation, result)) = done {
            seen.push(result);
            let window = before.foreigners.iter().any(Foreigner::is_in_the_window);
            let bare = before.lockattrs.iter().any(|process| process.has_bare_unit);
            match operation {
                Operation::TryWait if routine == Routine::Acquire => {
                    process.has_bare_unit = result != 0;
                }
                Operation::SwapOwner if result != 0 => {
                    process.has_bare_unit = matches!(routine, Routine::Release | Routine::Force);
                }
                Operation::ReadText => {
                    process.looked_in_the_window |= window;
                    process.looked_before_a_word |= bare;
                }
                Operation::Post if routine == Routine::Force => {
                    state.history.was_torn |= process.forces_a_living || before.shared.value > 0;
                    process.has_bare_unit = false;
                }
                Operation::Post => process.has_bare_unit = false,
                _ => {}
            }
        }
        let process = &mut state.lockattrs[index];
        process.stage = match outcome {
            Err(Stopped) => Stage::In(routine, seen),
            Ok(Outcome::Owns) => {
                state.history.was_in_the_window |= process.looked_in_the_window;
                state.history.was_before_a_word |= process.looked_before_a_word;
                Stage::In(Routine::Grant, Vec::new())
            }
            Ok(Outcome::Granted) => Stage::Body,
            Ok(Outcome::NotYet) => Stage::Idle,
            Ok(Outcome::Over) => {
                process.rounds -= u8::from(routine == Routine::Release);
                Stage::Idle
            }
        };
        if !matches!(outcome, Err(Stopped)) {
            process.has_bare_unit = false;
            process.looked_in_the_window = false;
            process.looked_before_a_word = false;
            process.forces_a_living = false;
        }
    }

    /// Who releases by force looks first: it may meet a living holder at any time until it posts.
    fn note_the_torn(&self, state: &mut State) {
        if let Some(is_torn) = state.unget {
            state.unget = Some(is_torn || state.is_held_but_by(self, None));
        }
        for index in 0..self.lockattrs {
            if matches!(state.lockattrs[index].stage, Stage::In(Routine::Force, _)) {
                let is_held = state.is_held_but_by(self, Some(index));
                state.lockattrs[index].forces_a_living |= is_held;
            }
        }
    }

    /// Kills a process, with all its threads.
    fn kill(&self, state: &mut State, index: usize) {
        for thread in 0..self.lockattrs {
            if self.pid(thread) != self.pid(index) {
                continue;
            }
            let word = self.word(state, thread);
            let process = &mut state.lockattrs[thread];
            let is_owner = Owner(state.shared.owner).process() == word.process();
            // Also if a foreigner's text stands over its own, for it was forced open.
            let is_unrecorded = is_owner && state.shared.text != state.shared.recorded;
            state.history.has_orphan |= process.has_bare_unit || is_unrecorded;
            *process = Lockattr { is_alive: false, ..Lockattr::new(0) };
        }
    }

    fn foreign_step(state: &mut State, index: usize) {
        let foreigner = &mut state.foreigners[index];
        foreigner.stage = match foreigner.stage {
            ForeignStage::Idle => {
                state.shared.value -= 1;
                ForeignStage::Took
            }
            ForeignStage::Took => {
                state.shared.text = 100 + Text::try_from(2 * index).unwrap() + foreigner.rounds % 2;
                ForeignStage::Body
            }
            // It gives nothing back if the lock is free already.
            ForeignStage::Body if state.shared.value == 0 => ForeignStage::Posts,
            ForeignStage::Body => {
                foreigner.rounds -= 1;
                ForeignStage::Idle
            }
            ForeignStage::Posts => {
                state.shared.value += 1;
                foreigner.rounds -= 1;
                ForeignStage::Idle
            }
        };
    }

    fn unget(state: &mut State) {
        state.unget = match state.unget {
            None => {
                state.forces -= 1;
                Some(false)
            }
            Some(is_torn) => {
                state.history.was_torn |= is_torn || state.shared.value > 0;
                state.shared.value += 1;
                None
            }
        };
    }

    /// Whether nobody can ever take the lock again although nobody has it. Only asked where all rest.
    fn is_lost(&self, state: &State) -> bool {
        let all_rest = state.unget.is_none()
            && state.lockattrs.iter().all(|process| process.stage == Stage::Idle)
            && !state.foreigners.iter().any(Foreigner::holds);
        if !all_rest {
            return false;
        }
        let Shared { value, owner, text, recorded } = state.shared;
        let can_be_inherited = owner != 0 && text == recorded;
        self.owner_lives(state) || value == 0 && !can_be_inherited
    }
}

/// One of the backend's ways through the protocol: what `Semaphore::acquire`, `grant` and `Held` do.
fn run(routine: Routine, step: &Step<'_>, text: Text) -> Result<Outcome, Stopped> {
    match routine {
        Routine::Acquire => {
            let owns = if step.try_wait()? {
                protocol::own(step)? == Taken::Owned
            } else {
                match protocol::look(step)? {
                    Look::Left(dead) => protocol::claim(step, dead)? && protocol::inherit(step)?,
                    _ => false,
                }
            };
            Ok(if owns { Outcome::Owns } else { Outcome::NotYet })
        }
        Routine::Grant => {
            protocol::drain(step)?;
            step.write_text(text)?;
            step.record_text(text)?;
            Ok(Outcome::Granted)
        }
        Routine::Release => protocol::release(step).map(|_| Outcome::Over),
        Routine::Force => protocol::force(step).map(|_| Outcome::Over),
    }
}

impl State {
    /// Lockattr's processes that believe that they hold.
    fn holders(&self) -> usize {
        let holds = |process: &&Lockattr| {
            matches!(process.stage, Stage::Body | Stage::In(Routine::Grant, _))
        };
        self.lockattrs.iter().filter(holds).count()
    }

    fn has_foreign_holder(&self) -> bool {
        self.foreigners.iter().any(Foreigner::holds)
    }

    fn are_both(&self) -> bool {
        self.holders() > 0 && self.has_foreign_holder()
    }

    /// Whether anybody alive, but for one, has the lock or a part of it.
    fn is_held_but_by(&self, system: &System, one: Option<usize>) -> bool {
        let is_ones = one.is_some_and(|one| {
            Owner(self.shared.owner).process() == system.word(self, one).process()
        });
        self.holders() > 0
            || self.has_foreign_holder()
            || self.lockattrs.iter().any(|process| process.has_bare_unit)
            || !is_ones && system.owner_lives(self)
    }
}

impl Lockattr {
    fn new(rounds: u8) -> Self {
        Self {
            is_alive: true,
            rounds,
            stage: Stage::Idle,
            has_bare_unit: false,
            looked_in_the_window: false,
            looked_before_a_word: false,
            forces_a_living: false,
        }
    }
}

impl Foreigner {
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
            shared: Shared { value: 1, ..Shared::default() },
            lockattrs: vec![Lockattr::new(self.rounds); self.lockattrs],
            foreigners: vec![foreigner; self.foreigners],
            unget: None,
            forces: self.forces,
            history: History::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, process) in state.lockattrs.iter().enumerate() {
            if !process.is_alive {
                continue;
            }
            actions.push(Action::Kill(index));
            if process.stage != Stage::Idle || process.rounds > 0 {
                actions.push(Action::Step(index));
            }
            if process.stage == Stage::Idle && state.forces > 0 {
                actions.push(Action::Force(index));
            }
        }
        for (index, foreigner) in state.foreigners.iter().enumerate() {
            if !foreigner.is_alive {
                continue;
            }
            actions.push(Action::ForeignKill(index));
            let can_take = foreigner.rounds > 0 && state.shared.value > 0;
            if foreigner.stage != ForeignStage::Idle || can_take {
                actions.push(Action::ForeignStep(index));
            }
        }
        if state.unget.is_some() || state.forces > 0 && state.shared.value == 0 {
            actions.push(Action::Unget);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Step(index) => self.step(&mut state, index),
            Action::Force(index) => {
                state.forces -= 1;
                self.step_in(&mut state, index, Routine::Force, Vec::new());
            }
            Action::Kill(index) => self.kill(&mut state, index),
            Action::ForeignStep(index) => Self::foreign_step(&mut state, index),
            Action::ForeignKill(index) => {
                let foreigner = &mut state.foreigners[index];
                state.history.foreigner_died |= foreigner.holds();
                *foreigner = Foreigner { is_alive: false, rounds: 0, stage: ForeignStage::Idle };
            }
            Action::Unget => Self::unget(&mut state),
        }
        self.note_the_torn(&mut state);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::<Self>::always(ONE_HOLDER, |_, state| state.holders() <= 1),
            Property::<Self>::always(NOT_BOTH, |system, state| {
                let History { was_torn, was_in_the_window, was_before_a_word, .. } = state.history;
                let has_excuse = was_torn || was_in_the_window || was_before_a_word;
                !state.are_both() || system.forces > 0 && has_excuse
            }),
            Property::<Self>::always(NOT_LOST, |system, state| {
                let History { has_orphan, foreigner_died, .. } = state.history;
                !system.is_lost(state) || has_orphan || foreigner_died
            }),
            Property::<Self>::sometimes(LOST_BY_AN_ORPHAN, |system, state| {
                system.is_lost(state) && !state.history.foreigner_died
            }),
        ];
        if self.foreigners > 0 && self.forces > 0 && self.lockattrs > 2 {
            properties.push(Property::<Self>::sometimes(BOTH_BEFORE_A_WORD, |_, state| {
                let History { was_torn, was_in_the_window, .. } = state.history;
                state.are_both() && !was_torn && !was_in_the_window
            }));
        }
        if self.foreigners > 0 && self.forces > 0 {
            properties.extend([
                Property::<Self>::sometimes(BOTH_BY_FORCE, |_, state| {
                    let History { was_in_the_window, was_before_a_word, .. } = state.history;
                    state.are_both() && !was_in_the_window && !was_before_a_word
                }),
                Property::<Self>::sometimes(BOTH_IN_THE_WINDOW, |_, state| {
                    let History { was_torn, was_before_a_word, .. } = state.history;
                    state.are_both() && !was_torn && !was_before_a_word
                }),
            ]);
        }
        properties
    }
}
