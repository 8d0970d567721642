//! All locks that this process uses, by name: two [`Lock`](crate::Lock)s of one name are one lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::backend::Backend;
use crate::error::LockError;
use crate::state::State;
use crate::sys::fork;

/// Only locked by a thread that holds the gate: a fork never copies it while it is locked.
static REGISTRY: Mutex<BTreeMap<Box<str>, Weak<State>>> = Mutex::new(BTreeMap::new());

/// The state that every lock of this name shares in this process. `name` has been checked.
///
/// # Errors
/// [`LockError::BackendMismatch`] if the name is in use under another backend.
pub(crate) fn state(backend: Backend, name: &str) -> Result<Arc<State>, LockError> {
    let state = find_or_insert(backend, name)?;
    // Outside of the gate: to drop the last reference takes it again.
    let established = state.backend();
    if established == backend {
        Ok(state)
    } else {
        Err(LockError::BackendMismatch { lock: name.into(), wanted: backend, established })
    }
}

fn find_or_insert(backend: Backend, name: &str) -> Result<Arc<State>, LockError> {
    let _gate = fork::gate().map_err(|source| LockError::Io {
        lock: name.into(),
        operation: "install the at-fork handlers",
        source,
    })?;
    let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(state) = registry.get(name).and_then(Weak::upgrade) {
        return Ok(state);
    }
    let state = Arc::new(State::new(backend, name));
    registry.insert(name.into(), Arc::downgrade(&state));
    Ok(state)
}

/// Takes out what the last user of `name` leaves behind, unless somebody began anew meanwhile.
pub(crate) fn forget(name: &str) {
    let Ok(_gate) = fork::gate() else { return };
    let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    if registry.get(name).is_some_and(|state| state.strong_count() == 0) {
        registry.remove(name);
    }
}
