//! Locks as a table, one a line.

use std::fmt::Write as _;

use lockattr_runtime::{Holder, Tenure};

use super::{reason, Users};
use crate::text::{Escaped, Span};
use lockattr_survey::{Held, Status};

/// The cells of a row.
pub(crate) type Cells = [String; COLUMNS];

pub(crate) const HEAD: [&str; COLUMNS] =
    ["NAME", "BACKEND", "STATE", "PID", "USER", "COMMAND", "HELD", "WAIT", "WHERE"];
const COLUMNS: usize = 9;
pub(crate) const STATE: usize = 2;
/// The last one.
pub(crate) const WHERE: usize = COLUMNS - 1;
/// Numbers stand to the right.
pub(crate) const RIGHT: [usize; 3] = [3, 6, 7];

/// The cells of a row. Nothing in them can steer a terminal.
pub(crate) fn row(status: &Status, users: &mut Users) -> Cells {
    let person = status.person();
    let escaped = |text: &str| Escaped(text).to_string();
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let user = person
        .and_then(|person| person.uid)
        .map(|uid| users.name(uid).map_or_else(|| uid.to_string(), escaped));
    [
        match &status.device {
            Some(device) => format!("{} ({})", escaped(&status.name), escaped(device)),
            None => escaped(&status.name),
        },
        status.backend.to_string(),
        state(status).to_owned(),
        or_dash(person.and_then(|person| person.pid).map(|pid| pid.to_string())),
        or_dash(user),
        or_dash(person.and_then(|person| person.command.as_deref()).map(escaped)),
        or_dash(person.and_then(held_for).map(|held| Span(held).to_string())),
        or_dash(status.waiters.map(|waiters| waiters.to_string())),
        match &status.held {
            Held::Unknown(why) => escaped(&reason::in_short(why)),
            _ => or_dash(person.and_then(|person| person.info.as_deref()).map(escaped)),
        },
    ]
}

/// For how long, by the holder's own clock; where it tells only when it took the lock, since then.
pub(crate) fn held_for(holder: &Holder) -> Option<std::time::Duration> {
    let still = matches!(holder.tenure, Tenure::Holds | Tenure::Detached);
    let since = || holder.since.filter(|_| still)?.elapsed().ok();
    holder.held_for.or_else(since)
}

fn state(status: &Status) -> &'static str {
    match (&status.held, &status.last) {
        (Held::By(holder), _) if holder.tenure == Tenure::Detached => "kept",
        (Held::By(holder), _) if holder.tenure == Tenure::OnItsWay && holder.stopped => "stopped",
        (Held::By(holder), _) if holder.tenure == Tenure::OnItsWay => "coming",
        (Held::By(holder), _) if holder.tenure == Tenure::Copied => "copied",
        (Held::By(_) | Held::Somehow, _) => "held",
        (Held::Free, Some(last)) if last.tenure == Tenure::Died => "died",
        (Held::Free, Some(last)) if last.tenure == Tenure::Abandoned => "abandoned",
        (Held::Free, _) => "free",
        _ => "?",
    }
}

/// How wide each column is.
pub(crate) type Widths = [usize; COLUMNS];

/// How wide each column would be, if there were room for everything.
pub(crate) fn widths<'a>(rows: impl IntoIterator<Item = &'a Cells>) -> Widths {
    rows.into_iter().fold(HEAD.map(str::len), |widths, cells| {
        std::array::from_fn(|column| widths[column].max(cells[column].chars().count()))
    })
}

/// How wide each column is where a line has `room`: names and places are cut, and neither hides the other.
pub(crate) fn fitted(widths: Widths, room: usize) -> Widths {
    /// So much is left of either, however narrow the terminal is.
    const LEAST_NAME: usize = 12;
    const LEAST_WHERE: usize = 20;

    let mut fitted = widths;
    let others: usize = widths[1..WHERE].iter().sum::<usize>() + SPACE * WHERE;
    let left = room.saturating_sub(others);
    let for_where = widths[WHERE].min(LEAST_WHERE);
    fitted[0] = widths[0].min(left.saturating_sub(for_where).max(LEAST_NAME));
    fitted[WHERE] = widths[WHERE].min(left.saturating_sub(fitted[0]).max(LEAST_WHERE));
    fitted
}

/// `text`, or as much of it as there is room for, with a `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Between two columns.
pub(crate) const SPACE: usize = 2;

/// The table, with colours or without, for a terminal of that width; or for a file or a pipe, where only what
/// is very long is cut.
pub(crate) fn table(locks: &[Status], colour: bool, width: Option<usize>) -> String {
    /// A cell of a file.
    const LONG: usize = 100;

    let mut users = Users::default();
    let rows: Vec<_> = locks.iter().map(|status| row(status, &mut users)).collect();
    let widths = widths(&rows);
    let widths = match width {
        Some(width) => fitted(widths, width),
        None => std::array::from_fn(|column| widths[column].min(LONG)),
    };
    let mut shown = String::new();
    let head = HEAD.map(str::to_owned);
    for (index, cells) in std::iter::once(&head).chain(&rows).enumerate() {
        let cells = std::array::from_fn(|column| cut(&cells[column], widths[column]));
        line(&mut shown, &cells, &widths, if colour { Some(index == 0) } else { None });
    }
    shown
}

/// One line; in colour, as a head or not.
fn line(shown: &mut String, cells: &Cells, widths: &Widths, head: Option<bool>) {
    const RESET: &str = "\u{1b}[0m";

    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        let colour = match (head, column) {
            (Some(true), _) => "\u{1b}[1m",
            (Some(false), STATE) => match cell.as_str() {
                "free" => "\u{1b}[32m",
                "held" => "\u{1b}[33m",
                _ => "\u{1b}[31m",
            },
            _ => "",
        };
        let reset = if colour.is_empty() { "" } else { RESET };
        // Writing to a String never fails. The last column ends the line.
        let _ = if column == WHERE {
            writeln!(shown, "{colour}{cell}{reset}")
        } else if RIGHT.contains(&column) {
            write!(shown, "{colour}{cell:>width$}{reset}  ")
        } else {
            write!(shown, "{colour}{cell:<width$}{reset}  ")
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_and_a_long_place_are_cut_and_neither_hides_the_other() {
        let mut widths = HEAD.map(str::len);
        (widths[0], widths[WHERE]) = (97, 200);
        let line = |widths: Widths| widths.iter().sum::<usize>() + SPACE * WHERE;
        for room in [100, 160, 300] {
            let fitted = fitted(widths, room);
            assert!(fitted[0] >= 12 && fitted[WHERE] >= 20 && line(fitted) <= room, "{fitted:?}");
        }
        assert_eq!(fitted(widths, 500), widths);
        assert_eq!(cut("i2c-1", 5), "i2c-1");
        assert_eq!(cut("i2c-10", 5), "i2c-…");
    }
}
