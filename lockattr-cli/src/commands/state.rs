//! `lockattr state`.

use lockattr_runtime::Backend;

use crate::cli::State;
use crate::exit::{Exit, Stop};
use crate::report::{self, Users, View};
use crate::survey;

pub(super) fn state(state: &State, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = survey::open(&state.name, backend)?;
    if state.quiet {
        return Ok(if lock.is_locked()? { Exit::Done } else { Exit::Not });
    }
    let status = survey::look(&lock)?;
    let mut users = Users::default();
    if state.json {
        report::print_json(&View::new(&status, &mut users))?;
    } else {
        let is_known = status.last.is_some() || survey::is_known(&lock);
        report::print(&(report::sentence(&status, is_known, &mut users) + "\n"))?;
    }
    Ok(Exit::Done)
}
