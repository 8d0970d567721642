//! What must hold in the model, and what excuses what else must not happen.

use stateright::Property;

use super::system::{State, System};
use crate::record::owner::Owner;

/// What has happened. Each excuse stands for certain instructions: CONTRIBUTING lists them.
#[allow(clippy::struct_excessive_bools)] // each a thing that may have happened
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct History {
    /// A live holder's lock was forced open, or a free one: it was posted twice.
    pub(super) was_torn: bool,
    /// A lock was inherited between a foreign taking and its text.
    pub(super) was_in_the_window: bool,
    /// A lock was inherited between another one's taking and its word.
    pub(super) was_before_a_word: bool,
    /// A process died with a unit and without its word.
    pub(super) has_orphan: bool,
    /// An owner died whose lock had been forced open: a foreign program's text stood over its own.
    pub(super) died_under_a_foreign_text: bool,
    pub(super) foreigner_died: bool,
    /// A text longer than a record's went over a holder's word.
    pub(super) was_overwritten: bool,
    /// The lock is left taken, and no release by force has come since.
    pub(super) is_left: bool,
    /// A process has died in its body, and none has come to its own since.
    pub(super) died_inside: bool,
    /// A holder was told of a death.
    pub(super) was_told: bool,
    /// A holder was not told of a death in a body.
    pub(super) was_untold: bool,
    /// A holder was told of a death where there was none.
    pub(super) was_told_of_nothing: bool,
}

pub(super) const ONE_HOLDER: &str = "never two holders of lockattr";
pub(super) const NOT_BOTH: &str = "no foreigner beside a holder without an excuse";
pub(super) const NOT_LOST: &str = "never lost without an excuse";
pub(super) const ALL_TOLD: &str = "a death in a body is always told, and no other";

/// What the excuses are for: each is found.
const BOTH_BY_FORCE: &str = "a live holder's lock that is forced open lets a foreigner in";
const BOTH_IN_THE_WINDOW: &str = "between a foreign taking and its text one can inherit";
const BOTH_BEFORE_A_WORD: &str = "between another one's taking and its word one can inherit";
const TWO_BY_OVERWRITING: &str = "a word that is overwritten and forced lets a second holder in";
const LOST_BY_AN_ORPHAN: &str = "a death between unit and word leaves the lock taken";
const LOST_UNDER_A_TEXT: &str = "a death under a foreign text leaves the lock taken";
const LEFT_TAKEN: &str = "a lock that is left taken stays so";
const TOLD: &str = "an heir is told of a death";

pub(super) fn of(system: System) -> Vec<Property<System>> {
    let mut properties = vec![
        Property::<System>::always(ONE_HOLDER, |system, state| {
            let was_opened = state.history.was_overwritten && system.forces > 0;
            state.holders() <= 1 || was_opened
        }),
        Property::<System>::always(NOT_BOTH, |system, state| {
            let History { was_torn, was_in_the_window, was_before_a_word, .. } = state.history;
            let has_excuse = was_torn || was_in_the_window || was_before_a_word;
            !are_both(state) || system.forces > 0 && has_excuse
        }),
        Property::<System>::always(NOT_LOST, |system, state| {
            let History { has_orphan, foreigner_died, is_left, .. } = state.history;
            let is_under_a_text = state.history.died_under_a_foreign_text
                && (system.forces > 0 || system.overwrites > 0);
            !is_lost(state) || has_orphan || foreigner_died || is_left || is_under_a_text
        }),
        Property::<System>::always(ALL_TOLD, |_, state| {
            let History { was_untold, was_told_of_nothing, was_overwritten, .. } = state.history;
            !was_told_of_nothing && !was_untold || was_overwritten
        }),
        Property::<System>::sometimes(LOST_BY_AN_ORPHAN, |_, state| {
            let History { foreigner_died, died_under_a_foreign_text, is_left, .. } = state.history;
            is_lost(state) && !foreigner_died && !died_under_a_foreign_text && !is_left
        }),
        Property::<System>::sometimes(TOLD, |_, state| state.history.was_told),
    ];
    if system.forces > 0 && system.foreigners > 0 {
        properties.extend([
            Property::<System>::sometimes(BOTH_BY_FORCE, |_, state| {
                let History { was_in_the_window, was_before_a_word, .. } = state.history;
                are_both(state) && !was_in_the_window && !was_before_a_word
            }),
            Property::<System>::sometimes(BOTH_IN_THE_WINDOW, |_, state| {
                let History { was_torn, was_before_a_word, .. } = state.history;
                are_both(state) && !was_torn && !was_before_a_word
            }),
            Property::<System>::sometimes(LOST_UNDER_A_TEXT, |_, state| {
                let History { has_orphan, foreigner_died, is_left, .. } = state.history;
                is_lost(state) && !has_orphan && !foreigner_died && !is_left
            }),
        ]);
    }
    if system.forces > 0 && system.foreigners > 0 && system.lockattrs > 2 {
        properties.push(Property::<System>::sometimes(BOTH_BEFORE_A_WORD, |_, state| {
            let History { was_torn, was_in_the_window, .. } = state.history;
            are_both(state) && !was_torn && !was_in_the_window
        }));
    }
    if system.overwrites > 0 && system.forces > 0 {
        let two = |_: &System, state: &State| state.holders() > 1;
        properties.push(Property::<System>::sometimes(TWO_BY_OVERWRITING, two));
    }
    if system.detaches {
        properties.push(Property::<System>::sometimes(LEFT_TAKEN, |_, state| {
            is_lost(state) && state.history.is_left && !state.history.has_orphan
        }));
    }
    properties
}

fn are_both(state: &State) -> bool {
    state.holders() > 0 && state.has_foreign_holder()
}

/// Whether no process can ever take the lock again although none has it. Only asked where all rest.
fn is_lost(state: &State) -> bool {
    let shared = &state.shared;
    let has_unit = shared.values[usize::from(shared.named)] > 0;
    let can_be_inherited = !Owner(shared.owner).is_nobody() && shared.text_is_an_owners();
    state.all_rest() && (state.owner_lives() || !has_unit && !can_be_inherited)
}
