//! `lockattr trace`.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Instant, SystemTime};

use lockattr_runtime::{Backend, Holder, Lock};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use serde::Serialize;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::cli::Trace;
use crate::exit::{Exit, Stop};
use crate::report::{self, Users, View};
use crate::signals;
use crate::which;
use lockattr_survey::Status;

pub(super) fn trace(trace: &Trace, backend: Option<Backend>) -> Result<Exit, Stop> {
    let end = signals::ending()?;
    let mut users = Users::default();
    let mut traced = Vec::new();
    for name in &trace.names {
        traced.push(Traced::new(which::to_look_at(name, backend)?));
    }
    loop {
        for lock in &mut traced {
            if let Some((event, status)) = lock.look()? {
                print(trace.json, event, &status, &mut users)?;
            }
        }
        if wait(&end, &traced, trace)? {
            return Ok(Exit::Done);
        }
    }
}

/// A lock, and how it was found last.
struct Traced {
    lock: Lock,
    seen: Option<Grant>,
    is_first_look: bool,
    /// A connection to the holder of a port lock. It ends when the lock is given back: to whoever comes
    /// without an address the holder gives nothing.
    connection: Option<Socket>,
}

/// What tells one holding of a lock from the next.
#[derive(Debug, PartialEq, Eq)]
struct Grant {
    pid: Option<u32>,
    since: Option<SystemTime>,
    info: Option<String>,
}

impl Grant {
    fn of(holder: &Holder) -> Self {
        Self { pid: holder.pid, since: holder.since, info: holder.info.clone() }
    }
}

impl Traced {
    fn new(lock: Lock) -> Self {
        Self { lock, seen: None, is_first_look: true, connection: None }
    }

    /// What has changed since the last look, if anything has.
    fn look(&mut self) -> Result<Option<(&'static str, Status)>, Stop> {
        if self.connection.as_ref().is_some_and(has_ended) {
            self.connection = None;
        }
        if self.connection.is_none() && self.lock.backend() == Backend::Port {
            self.connection = connect(self.lock.name()).ok();
        }
        let standing = self.lock.standing()?;
        let grant = standing.clone().into_holder().as_ref().map(Grant::of);
        let event = match (&self.seen, &grant) {
            _ if self.is_first_look => {
                if grant.is_some() {
                    "held"
                } else {
                    "free"
                }
            }
            (None, Some(_)) => "taken",
            (Some(_), None) => "released",
            (Some(before), Some(now)) if before != now => "passed",
            _ => return Ok(None),
        };
        self.is_first_look = false;
        self.seen = grant;
        Ok(Some((event, Status::found(&self.lock, standing))))
    }
}

/// Without blocking: the holder's queue may be full, and then `-u` has to do.
fn connect(name: &str) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.connect(&SockAddr::unix(format!("\0/portlock/{name}"))?)?;
    Ok(socket)
}

/// Whether the other end has gone. (It never sends anything.)
fn has_ended(connection: &Socket) -> bool {
    let mut one = [PollFd::new(connection.as_fd(), PollFlags::POLLIN)];
    poll(&mut one, PollTimeout::ZERO) != Ok(0)
}

/// Until something ends or it is time for a look; true if it is time to end.
fn wait(end: &UnixStream, traced: &[Traced], trace: &Trace) -> Result<bool, Stop> {
    let start = Instant::now();
    loop {
        let connections = traced.iter().filter_map(|lock| lock.connection.as_ref());
        let mut awaited: Vec<_> = std::iter::once(end.as_fd())
            .chain(connections.map(Socket::as_fd))
            .map(|stream| PollFd::new(stream, PollFlags::POLLIN))
            .collect();
        let left = trace.update.saturating_sub(start.elapsed()).as_millis();
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
}

fn print(json: bool, event: &str, status: &Status, users: &mut Users) -> Result<(), Stop> {
    let time = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
    if json {
        report::print_json(&Line { time, event, lock: View::new(status, users) })?;
    } else {
        let said = report::sentence(status, true, users);
        report::print(&format!("{time}  {event:<8}  {said}\n"))?;
    }
    Ok(())
}
