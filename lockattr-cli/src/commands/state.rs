//! `lockattr state`.

use lockattr_runtime::Backend;
use lockattr_survey::{is_known, Status};

use crate::cli::State;
use crate::exit::{Exit, Stop};
use crate::report::{self, Users, View};
use crate::which;

pub(super) fn state(state: &State, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = which::to_look_at(&state.name, backend)?;
    if state.quiet {
        return Ok(if lock.is_locked()? { Exit::Done } else { Exit::Not });
    }
    let status = Status::of(&lock)?;
    let mut users = Users::default();
    if state.json {
        report::print_json(&View::new(&status, &mut users))?;
    } else {
        let known = status.last.is_some() || is_known(&lock);
        report::print(&(report::sentence(&status, known, &mut users) + "\n"))?;
    }
    Ok(Exit::Done)
}
