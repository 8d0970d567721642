//! What is shown of locks: a table, sentences, JSON.

mod json;
mod reason;
mod sentence;
mod table;

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::exit;
use crate::process;

pub(crate) use json::{Person, View};
pub(crate) use sentence::{holder, others, sentence};
pub(crate) use table::{cut, fitted, held_for, row, table, widths, Cells, Widths};
pub(crate) use table::{HEAD, RIGHT, SPACE, STATE, WHERE};

/// The shape of the JSON, as `--help` shows it.
const JSON_HELP: &str = r#"JSON:
    {"name","backend","locked","holder","last","waiters","device"}
    "backend" is "port", "semaphore" or "tcp"; "locked" is null where it cannot be told; "waiters" is null where
    it is not known, and of a semaphore counts also those that were killed while they waited; "last" is who had it last, where nobody has it now
    or nobody says who has it ("locked" is true, and "holder" is null). "holder" and "last" are null, or
    {"pid","uid","user","command","info","since","held_seconds","tenure","stopped","known_by"}
    of which each may be null; "tenure" is "holds", "detached" (left taken on purpose), "released", "died",
    "abandoned", "on its way" (a port lock that was given to this process, which has not taken it up; it may be
    "stopped") "copied" (given back, and kept taken by a copy of its socket in this process)
    or "kept" (`run --inherit`: held until the last process ends that has inherited it); "since" is a time like "2024-10-20T14:00:51.864484Z", "known_by" is how
    its pid is known: "kernel", "proc", "record", or "text" (not at all: there is only a text). "device" is what the
    kernel calls a device, or null. `state --device` has "others", too: those that lock the device in other ways, each
    as a holder whose "known_by" is "flock" or "lock file"."#;

/// [`JSON_HELP`] and the exit codes.
pub(crate) fn json_help() -> String {
    format!("{JSON_HELP}\n\n{}", exit::HELP)
}

/// The same, with the events of `trace`.
pub(crate) fn trace_help() -> String {
    format!("{TRACE_HELP}\n\n{}", json_help())
}

const TRACE_HELP: &str = r#"Events:
    held, free   as it begins
    taken        it was free, and is held
    released     its holder gave it back, and it is free
    died         its holder died, and it is free (a semaphore: until the next one inherits it)
    passed       from one holder to another; both are named ("from" in JSON)
    missed       so many holds came and went between two looks ("missed" in JSON)"#;

/// The names of users, each looked up once.
#[derive(Debug, Default)]
pub(crate) struct Users(HashMap<u32, Option<String>>);

impl Users {
    pub(crate) fn name(&mut self, uid: u32) -> Option<&str> {
        self.0.entry(uid).or_insert_with(|| process::user(uid)).as_deref()
    }
}

/// Writes to standard output at one go.
///
/// # Errors
/// Also where nobody reads any more, where `print!` would panic.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes `value` as JSON, and the line's end.
pub(crate) fn print_json(value: &impl Serialize) -> io::Result<()> {
    print(&(serde_json::to_string(value)? + "\n"))
}

/// How many characters a line of the terminal on standard output has; none if there is no terminal.
pub(crate) fn width() -> Option<usize> {
    let size = || ratatui::crossterm::terminal::size().ok();
    io::stdout().is_terminal().then(size)?.map(|(columns, _)| usize::from(columns))
}

/// Whether standard output is a terminal that colours are wanted on (<https://no-color.org>).
pub(crate) fn wants_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
