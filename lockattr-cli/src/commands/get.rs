//! `lockattr get`.

use lockattr_runtime::{Backend, Lock};

use crate::cli::Get;
use crate::exit::{Exit, Stop};
use crate::keeper;
use crate::mode;
use crate::report;
use crate::text::Escaped;
use crate::which;

pub(super) fn get(get: &Get, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = mode::with(which::to_take(&get.name, backend)?, get.shared.mode)?;
    if lock.backend() == Backend::Semaphore && get.auto_unget.is_none() {
        leave_taken(get, &lock)?;
    } else {
        keeper::start(get, &lock)?;
    }
    let name = Escaped(lock.name());
    report::print(&format!("\"{name}\" ({}): taken\n", lock.backend()))?;
    Ok(Exit::Done)
}

/// A semaphore needs nobody who holds it.
fn leave_taken(get: &Get, lock: &Lock) -> Result<(), Stop> {
    Ok(lock.acquire_with_info(get.timeout, &get.message)?.detach()?)
}
