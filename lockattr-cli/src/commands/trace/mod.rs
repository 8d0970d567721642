//! `lockattr trace`.

mod traced;

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant, SystemTime};

use lockattr_runtime::{Backend, Lock};
use lockattr_survey::{survey, Scope};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use serde::Serialize;

use crate::cli::Trace;
use crate::exit::{Exit, Stop};
use crate::report::{self, Person, Users, View};
use crate::signals;
use crate::which;
use traced::{Event, Traced, What};

/// After a change more are likely: for so long it looks so often.
const BUSY: Duration = Duration::from_millis(250);
const WHILE_BUSY: Duration = Duration::from_millis(5);

pub(super) fn trace(trace: &Trace, backend: Option<Backend>) -> Result<Exit, Stop> {
    let end = signals::ending()?;
    let mut users = Users::default();
    let mut traced = Vec::new();
    for name in &trace.names {
        traced.push(Traced::new(which::to_look_at(name, backend)?));
    }
    let mut finder =
        trace.names.is_empty().then(|| Finder { backend, due: Instant::now(), is_first: true });
    let mut busy_until = Instant::now();
    loop {
        if let Some(finder) = &mut finder {
            finder.add_new_ones(&mut traced, trace.update)?;
        }
        for lock in &mut traced {
            for event in lock.look()? {
                busy_until = Instant::now() + BUSY;
                // Of all locks, those that are free as it begins are no news.
                if finder.is_none() || !matches!(event.what, What::Free) {
                    print(trace.json, &event, &mut users)?;
                }
            }
        }
        let is_busy = Instant::now() < busy_until;
        let next = if is_busy { trace.update.min(WHILE_BUSY) } else { trace.update };
        if wait(&end, &traced, next)? {
            return Ok(Exit::Done);
        }
    }
}

/// Finds the locks of the machine, where none is named.
struct Finder {
    backend: Option<Backend>,
    due: Instant,
    is_first: bool,
}

impl Finder {
    fn add_new_ones(&mut self, traced: &mut Vec<Traced>, every: Duration) -> Result<(), Stop> {
        if Instant::now() < self.due {
            return Ok(());
        }
        for found in survey(Scope::Present, self.backend)? {
            if traced.iter().any(|traced| traced.is(found.backend, &found.name)) {
                continue;
            }
            // What this user may not look at is not traced.
            let lock = Lock::open(found.backend, &found.name);
            if let Some(lock) = lock.ok().filter(|lock| lock.standing().is_ok()) {
                traced.push(if self.is_first { Traced::new(lock) } else { Traced::new_one(lock) });
            }
        }
        self.is_first = false;
        self.due = Instant::now() + every;
        Ok(())
    }
}

/// Until something ends or it is time for a look; true if it is time to end.
fn wait(end: &UnixStream, traced: &[Traced], time: Duration) -> Result<bool, Stop> {
    let start = Instant::now();
    loop {
        let mut awaited: Vec<_> = std::iter::once(end.as_fd())
            .chain(traced.iter().filter_map(Traced::end))
            .map(|stream| PollFd::new(stream, PollFlags::POLLIN))
            .collect();
        let left = time.saturating_sub(start.elapsed()).as_millis();
        let left = i32::try_from(left).unwrap_or(i32::MAX).max(1);
        match poll(&mut awaited, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(awaited[0].any().unwrap_or(false)),
        }
    }
}

/// An event as a line of JSON: a lock, with the time and what has happened.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: &'a str,
    #[serde(flatten)]
    lock: View,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<u64>,
}

fn print(json: bool, event: &Event, users: &mut Users) -> Result<(), Stop> {
    let time = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
    let Event { what, status } = event;
    let word = what.word();
    if json {
        let from = match what {
            What::Passed(from) => Some(Person::new(from, users)),
            _ => None,
        };
        let missed = if let What::Missed(missed) = what { Some(*missed) } else { None };
        let lock = View::new(status, users);
        report::print_json(&Line { time, event: word, lock, from, missed })?;
    } else {
        let said = report::sentence(status, true, users);
        let said = match what {
            What::Passed(from) => format!("{said}; before, {}", report::holder(from, users)),
            What::Missed(1) => format!("1 hold came and went; {said}"),
            What::Missed(missed) => format!("{missed} holds came and went; {said}"),
            _ => said,
        };
        report::print(&format!("{time}  {word:<8}  {said}\n"))?;
    }
    Ok(())
}
