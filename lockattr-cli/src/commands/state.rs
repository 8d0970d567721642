//! `lockattr state`.

use lockattr_runtime::Backend;
use lockattr_survey::{is_known, Status};

use crate::cli::State;
use crate::exit::{Exit, Stop};
use crate::report::{self, Users, View};
use crate::which;

pub(super) fn state(state: &State, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = match (&state.device, &state.name) {
        (Some(path), _) => which::device_to_look_at(path, backend)?,
        (None, name) => which::to_look_at(name.as_deref().unwrap_or_default(), backend)?,
    };
    let others = lock.others()?;
    if state.quiet {
        let is_held = !others.is_empty() || lock.is_locked()?;
        return Ok(if is_held { Exit::Done } else { Exit::Not });
    }
    if let Some(name) = &state.name {
        which::hint_at_device("state", name);
    }
    let status = Status::of(&lock)?;
    let mut users = Users::default();
    if state.json {
        let mut view = View::new(&status, &mut users);
        if state.device.is_some() {
            view = view.with_others(&others, &mut users);
        }
        report::print_json(&view)?;
    } else {
        let known = status.last.is_some() || is_known(&lock);
        let mut shown = report::sentence(&status, known, &mut users) + "\n";
        if state.device.is_some() {
            shown.push_str(&report::others(&others, &mut users));
        }
        report::print(&shown)?;
    }
    Ok(Exit::Done)
}
