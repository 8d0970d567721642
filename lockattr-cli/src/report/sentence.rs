//! One lock in words.

use std::fmt::Write as _;
use std::time::SystemTime;

use lockattr_runtime::{Holder, KnownBy, Tenure};

use super::Users;
use crate::text::Escaped;
use lockattr_survey::{Held, Status};

/// `"i2c-1" (port): held for 3.4 s by pid 812 (sensord) in … , since …; 2 wait`.
pub(crate) fn sentence(status: &Status, is_known: bool, users: &mut Users) -> String {
    let state = match (&status.held, &status.last) {
        (Held::By(present), _) => holder(present, users),
        (Held::Somehow, Some(last)) => {
            format!("taken, and nobody says by whom; before that, {}", holder(last, users))
        }
        (Held::Somehow, None) => "taken, and nobody says by whom".to_owned(),
        (Held::Unknown(why), _) => why.to_string(),
        (Held::Free, Some(last)) if last.tenure == Tenure::Died => {
            format!("free; its last holder died with it: {}", holder(last, users))
        }
        (Held::Free, Some(last)) => format!("free; last {}", holder(last, users)),
        (Held::Free, None) if is_known => "free".to_owned(),
        (Held::Free, None) => "free, and unknown: nothing tells that it was ever taken".to_owned(),
        _ => "?".to_owned(),
    };
    let waiters = match status.waiters {
        Some(1) => "; 1 waits".to_owned(),
        Some(waiters) if waiters > 1 => format!("; {waiters} wait"),
        _ => String::new(),
    };
    let device = status.device.as_deref();
    let device = device.map_or_else(String::new, |device| format!(", {}", Escaped(device)));
    format!("\"{}\" ({}{device}): {state}{waiters}", Escaped(&status.name), status.backend)
}

/// A line for each of the ways in which other programs lock devices.
pub(crate) fn others(others: &[Holder], users: &mut Users) -> String {
    let mut lines = String::new();
    for (way, known_by) in [("flock(2)", KnownBy::Flock), ("lock file", KnownBy::LockFile)] {
        let mut is_free = true;
        for other in others.iter().filter(|other| other.known_by == known_by) {
            is_free = false;
            let _ = writeln!(lines, "  {way}: {}", holder(other, users)); // to a String: never fails
        }
        if is_free {
            let _ = writeln!(lines, "  {way}: free");
        }
    }
    lines
}

/// As the library says it, with the user and the time.
pub(crate) fn holder(holder: &Holder, users: &mut Users) -> String {
    let left = if holder.tenure == Tenure::Detached { ", who left it taken" } else { "" };
    let user = holder.uid.map_or_else(String::new, |uid| {
        users
            .name(uid)
            .map_or_else(|| format!(", user {uid}"), |name| format!(", user {}", Escaped(name)))
    });
    let since = holder.since.map_or_else(String::new, |since| format!(", since {}", stamp(since)));
    format!("{holder}{left}{user}{since}")
}

/// A time, the same for all zones: `2024-10-20T14:00:51Z`.
fn stamp(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
