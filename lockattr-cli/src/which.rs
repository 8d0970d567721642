//! Which lock a name on the command line means.

use std::io::{self, Write as _};
use std::path::{self, Path};

use lockattr_runtime::{Backend, Lock};
use lockattr_survey::backend_of;

use crate::exit::Stop;
use crate::text::Escaped;

/// The lock `name` to be looked at: of `backend`, else the one that is held or exists, else the port lock.
pub(crate) fn to_look_at(name: &str, backend: Option<Backend>) -> Result<Lock, Stop> {
    Ok(Lock::open(backend.map_or_else(|| guess(name), Ok)?, name)?)
}

/// As [`to_look_at`], of the device that `path` leads to.
pub(crate) fn device_to_look_at(path: &Path, backend: Option<Backend>) -> Result<Lock, Stop> {
    let path = path::absolute(path)?;
    // Dropped before the next one is made: in one process a name has one backend.
    let name = Lock::device(&path)?.name().to_owned();
    Ok(Lock::open_device(backend.map_or_else(|| guess(&name), Ok)?, path)?)
}

fn guess(name: &str) -> Result<Backend, Stop> {
    backend_of(name).map_err(|held_twice| {
        let name = Escaped(name);
        let wanted = "say which one you mean: `-b port`, `-b semaphore` or `-b tcp`";
        Stop::usage(format!("\"{name}\" is {held_twice}; {wanted}"))
    })
}

/// The lock of the device that `path` leads to, to be taken.
pub(crate) fn device_to_take(path: &Path, backend: Option<Backend>) -> Result<Lock, Stop> {
    Ok(Lock::open_device(backend.unwrap_or(Backend::Port), path::absolute(path)?)?)
}

/// Says how to name a device, where `name` is the path of one: as a name it is a text, and another path leads to
/// another lock.
pub(crate) fn hint_at_device(command: &str, name: &str) {
    if name.starts_with("/dev/") {
        let name = Escaped(name);
        // Not `eprintln!`, which panics where nobody reads.
        let _ = writeln!(
            io::stderr(),
            "lockattr: \"{name}\" is taken as a name here; for the device, whatever path leads to it: \
             `lockattr {command} --device {name}`"
        );
    }
}

/// The lock `name` to be taken: the port lock unless `backend` says otherwise, whatever exists. What a
/// program excludes must not depend on what another one has left.
pub(crate) fn to_take(name: &str, backend: Option<Backend>) -> Result<Lock, Stop> {
    Ok(Lock::open(backend.unwrap_or(Backend::Port), name)?)
}
