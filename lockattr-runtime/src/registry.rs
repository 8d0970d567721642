//! All locks that this process uses, by name: two [`Lock`](crate::Lock)s of one name are one lock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Weak};

use crate::error::LockError;
use crate::kind::Kind;
use crate::state::State;
use crate::sys::fork;
use crate::sys::generation::{asks_for_the_pid, generation};

static REGISTRY: fork::Gated<Registry> =
    fork::Gated::new(Registry { states: BTreeMap::new(), kept: Vec::new() });

#[derive(Default)]
struct Registry {
    states: BTreeMap<Box<str>, Weak<State>>,
    /// States that nobody else may refer to between two uses.
    kept: Vec<Arc<State>>,
}

/// How many names that are made from arguments are kept.
const KEPT: usize = 256;

/// The state that every lock of this name shares in this process. `name` has been checked.
///
/// # Errors
/// [`LockError::BackendMismatch`] if the name is in use under another backend.
pub(crate) fn state(kind: Kind, name: &str) -> Result<Arc<State>, LockError> {
    checked(find(kind, name, |_, _| Vec::new())?.0, kind)
}

/// As [`state`], for names that are made anew at each use: the state is kept, so that the next use of
/// the name finds it without allocating anything. After [`KEPT`] names all are let go of, to be made
/// again when they are used again; those in use stay.
pub(crate) fn kept(kind: Kind, name: &str) -> Result<Arc<State>, LockError> {
    let (state, outdated) = find(kind, name, |registry, state| {
        let full = registry.kept.len() == KEPT;
        let outdated = if full { std::mem::take(&mut registry.kept) } else { Vec::new() };
        registry.kept.push(Arc::clone(state));
        outdated
    })?;
    drop(outdated);
    checked(state, kind)
}

thread_local! {
    /// The last state that this thread had by [`remembered`], and the process that it is of.
    static LAST: RefCell<Option<(u32, Arc<State>)>> = const { RefCell::new(None) };
}

/// The state of a name that this thread has used last, if that is `name` still, which need not have been
/// checked: then it is a valid one. Without the gate, and without a look at other threads' memory.
pub(crate) fn remembered(kind: Kind, name: &[u8]) -> Option<Arc<State>> {
    let is_it = |(generation, state): &&(u32, Arc<State>)| {
        state.name().as_bytes() == name
            && state.backend() == kind.backend
            && *generation == self::generation()
    };
    let state = |last: &RefCell<Option<(u32, Arc<State>)>>| {
        last.try_borrow().ok()?.as_ref().filter(is_it).map(|(_, state)| Arc::clone(state))
    };
    // Fails only while the thread ends.
    LAST.try_with(state).ok()?
}

/// Keeps `state` for [`remembered`], for as long as this thread lives and uses no other one.
pub(crate) fn remember(state: &Arc<State>) {
    let new = Some((generation(), Arc::clone(state)));
    // The one before is dropped after the borrow ends: it may take the gate.
    let old =
        LAST.try_with(|last| last.try_borrow_mut().map(|mut last| mem::replace(&mut *last, new)));
    if let Ok(Ok(Some((generation, state)))) = old {
        if generation != self::generation() {
            // In a child that was made without handlers, another thread of the parent may have been inside
            // the allocator.
            mem::forget(state);
        }
    }
}

/// The state of `name`, and those that `keep` lets go of when it is given a new one. They must be
/// dropped outside: the last reference to a state takes the gate again.
fn find(
    kind: Kind,
    name: &str,
    keep: impl FnOnce(&mut Registry, &Arc<State>) -> Vec<Arc<State>>,
) -> Result<(Arc<State>, Vec<Arc<State>>), LockError> {
    let mut gate = fork::gate().map_err(|source| LockError::Io {
        lock: name.into(),
        operation: "enter the library",
        source: source.into(),
    })?;
    let registry = REGISTRY.get(&mut gate);
    if let Some(state) = registry.states.get(name).and_then(Weak::upgrade) {
        return Ok((state, Vec::new()));
    }
    let state = Arc::new(State::new(kind, name, forget));
    registry.states.insert(name.into(), Arc::downgrade(&state));
    let kept = keep(registry, &state);
    Ok((state, kept))
}

fn checked(state: Arc<State>, Kind { backend: wanted, .. }: Kind) -> Result<Arc<State>, LockError> {
    if asks_for_the_pid() {
        crate::tell::asks_for_the_pid();
    }
    let established = state.backend();
    if established == wanted {
        Ok(state)
    } else {
        Err(LockError::BackendMismatch { lock: state.name().into(), wanted, established })
    }
}

/// Takes out what the last user of `name` leaves behind, unless somebody began anew meanwhile.
fn forget(name: &str) {
    let Ok(mut gate) = fork::gate() else { return };
    let registry = REGISTRY.get(&mut gate);
    if registry.states.get(name).is_some_and(|state| state.strong_count() == 0) {
        registry.states.remove(name);
    }
}
