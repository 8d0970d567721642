//! `lockattr list`.

use std::io::{self, Write as _};

use lockattr_runtime::Backend;

use super::clean::bytes_of;
use crate::cli::{List, Scoped};
use crate::exit::{Exit, Stop};
use crate::patterns::Patterns;
use crate::report::{self, Users, View};
use crate::text::Bytes;
use lockattr_survey::{survey, Scope, Status};

pub(super) fn list(list: &List, backend: Option<Backend>) -> Result<Exit, Stop> {
    print(&list.scope, &list.patterns, list.json, backend)
}

/// Also `watch` where it cannot draw.
pub(super) fn print(
    scope: &Scoped,
    patterns: &[String],
    json: bool,
    backend: Option<Backend>,
) -> Result<Exit, Stop> {
    let patterns = Patterns::new(patterns)?;
    let mut locks = survey(scope.scope(), backend)?;
    locks.retain(|status| patterns.include(&status.name));
    if json {
        let mut users = Users::default();
        let views: Vec<_> = locks.iter().map(|status| View::new(status, &mut users)).collect();
        report::print_json(&views)?;
    } else {
        report::print(&report::table(&locks, report::wants_colour(), report::width()))?;
        if scope.all {
            say_what_it_takes(&locks);
        }
    }
    Ok(Exit::Done)
}

/// On standard error: it is no row.
fn say_what_it_takes(locks: &[Status]) {
    let free = locks.iter().filter(|status| status.is_locked() == Some(false));
    let (count, bytes) =
        free.fold((0, 0), |(count, bytes), status| (count + 1, bytes + bytes_of(status)));
    if count > 0 {
        let _ = writeln!(
            io::stderr(),
            "lockattr: free locks: {count}, {} of memory; `lockattr clean` removes what they have left",
            Bytes(bytes)
        );
    }
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
