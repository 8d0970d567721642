//! `lockattr list`.

use lockattr_runtime::Backend;

use crate::cli::{List, Scoped};
use crate::exit::{Exit, Stop};
use crate::report::{self, Users, View};
use lockattr_survey::{survey, Scope};

pub(super) fn list(list: &List, backend: Option<Backend>) -> Result<Exit, Stop> {
    print(&list.scope, list.json, backend)
}

/// Also `watch` where it cannot draw.
pub(super) fn print(scope: &Scoped, json: bool, backend: Option<Backend>) -> Result<Exit, Stop> {
    let locks = survey(scope.scope(), backend)?;
    if json {
        let mut users = Users::default();
        let views: Vec<_> = locks.iter().map(|status| View::new(status, &mut users)).collect();
        report::print_json(&views)?;
    } else {
        report::print(&report::table(&locks, report::wants_colour()))?;
    }
    Ok(Exit::Done)
}

impl Scoped {
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self { held: true, .. } => Scope::Held,
            Self { all: true, .. } => Scope::Remembered,
            _ => Scope::Present,
        }
    }
}
