//! Which lock a name on the command line means.

use lockattr_runtime::{Backend, Lock};
use lockattr_survey::backend_of;

use crate::exit::Stop;
use crate::text::Escaped;

/// The lock `name` to be looked at: of `backend`, else the one that is held or exists, else the port lock.
pub(crate) fn to_look_at(name: &str, backend: Option<Backend>) -> Result<Lock, Stop> {
    let guess = || {
        backend_of(name).map_err(|held_twice| {
            let name = Escaped(name);
            let wanted = "say which one you mean: `-b port`, `-b semaphore` or `-b tcp`";
            Stop::usage(format!("\"{name}\" is {held_twice}; {wanted}"))
        })
    };
    Ok(Lock::open(backend.map_or_else(guess, Ok)?, name)?)
}

/// The lock `name` to be taken: the port lock unless `backend` says otherwise, whatever exists. What a
/// program excludes must not depend on what another one has left.
pub(crate) fn to_take(name: &str, backend: Option<Backend>) -> Result<Lock, Stop> {
    Ok(Lock::open(backend.unwrap_or(Backend::Port), name)?)
}
