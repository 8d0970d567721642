//! `lockattr run`.

mod acquire;
mod execute;
mod supervise;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use lockattr_runtime::{Backend, LockGuard};
use nix::fcntl::{fcntl, FcntlArg, FdFlag};

use crate::cli::Run;
use crate::duration::FOR_EVER;
use crate::exit::{Exit, Stop};
use crate::mode;
use crate::text::Span;
use crate::tip;
use crate::which;
use acquire::Request;
use supervise::Fate;

pub(crate) use execute::{execute, EXECUTE};

pub(super) fn run(run: &Run, backend: Option<Backend>) -> Result<Exit, Stop> {
    let (program, arguments) = command(run)?;
    if backend == Some(Backend::Semaphore) && (run.inherit || run.no_fork) {
        let option = if run.inherit { "--inherit" } else { "--no-fork" };
        return Err(Stop::usage(format!(
            "`{option}` leaves the lock to a descriptor that the command inherits: it is for port locks; a \
             semaphore cannot outlive its process. Leave out `{option}`, or take the port: `-b port`"
        )));
    }
    let mut locks = Vec::new();
    for path in &run.devices {
        locks.push(mode::with(which::device_to_take(path, backend)?, run.shared.mode)?);
    }
    for name in &run.names {
        if !run.quiet {
            which::hint_at_device("run", name);
        }
        locks.push(mode::with(which::to_take(name, backend)?, run.shared.mode)?);
    }
    let info = run.message.clone().unwrap_or_else(|| shown(&program, &arguments));
    let timeout = run.timeout.unwrap_or(FOR_EVER);
    let request = Request {
        timeout: if run.nonblock { Duration::ZERO } else { timeout },
        info: &info,
        quiet: run.quiet,
        reenter: run.reenter,
        conflict: Exit::Other(run.conflict_exit_code),
    };
    let start = Instant::now();
    let guards = acquire::all(locks, &request)?;
    let report = Report { wanted: run.verbose, waited: start.elapsed(), acquired: Instant::now() };
    if run.no_fork {
        report.say(false);
        let _kept = leave_to_the_command(guards)?;
        return Err(execute::become_it(&program, &arguments));
    }
    let exit = if run.inherit {
        let _kept = leave_to_the_command(guards)?;
        supervise::run(&program, &arguments, Fate::Lives)
    } else {
        let exit = supervise::run(&program, &arguments, Fate::Dies);
        drop(guards);
        exit
    };
    report.say(true);
    exit
}

/// What to run: a program with its arguments, or a shell with a line.
fn command(run: &Run) -> Result<(OsString, Vec<OsString>), Stop> {
    if let Some(line) = &run.line {
        check_names_before_a_line(run, line)?;
        let shell = env::var_os("SHELL").filter(|shell| !shell.is_empty());
        let shell = shell.unwrap_or_else(|| "/bin/sh".into());
        return Ok((shell, vec!["-c".into(), line.clone()]));
    }
    if let Some((program, arguments)) = run.command.split_first() {
        return Ok((program.clone(), arguments.to_vec()));
    }
    let tip = match (run.names.split_first(), run.devices.first()) {
        (Some((name, command)), None) => tip::dashes(name, command),
        (_, Some(path)) => tip::dashes(&format!("--device {}", path.display()), &run.names),
        (None, None) => return Err(Stop::usage("no NAME")),
    };
    Err(Stop::usage(format!("no command to run\n  {tip}")))
}

/// `run n sh -c LINE` would take the lock `sh` as well: a `--` was forgotten.
fn check_names_before_a_line(run: &Run, line: &OsStr) -> Result<(), Stop> {
    const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ksh", "zsh", "fish"];

    match &run.names[..] {
        [name, .., last] if SHELLS.contains(&last.as_str()) => {
            let command = [last.as_str(), "-c", &line.to_string_lossy()].map(str::to_owned);
            let tip = tip::dashes(name, &command);
            Err(Stop::usage(format!("`{last}` would be the name of a lock here\n  {tip}")))
        }
        _ => Ok(()),
    }
}

/// The command line, as one would type it.
fn shown(program: &OsStr, arguments: &[OsString]) -> String {
    let mut shown = String::new();
    for word in std::iter::once(program).chain(arguments.iter().map(OsString::as_os_str)) {
        let word = word.to_string_lossy();
        let quoted = shlex::try_quote(&word).unwrap_or_else(|_| word.clone());
        let space = if shown.is_empty() { "" } else { " " };
        let _ = write!(shown, "{space}{quoted}"); // to a String: never fails
    }
    shown
}

/// Descriptors that the command inherits.
fn leave_to_the_command(guards: Vec<LockGuard>) -> Result<Vec<OwnedFd>, Stop> {
    let leave = |guard: LockGuard| {
        let descriptor = guard.into_descriptor()?;
        fcntl(&descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
        Ok(descriptor)
    };
    guards.into_iter().map(leave).collect()
}

/// For `--verbose`.
struct Report {
    wanted: bool,
    waited: Duration,
    acquired: Instant,
}

impl Report {
    fn say(&self, is_over: bool) {
        if !self.wanted {
            return;
        }
        let waited = Span(self.waited);
        // Not `eprintln!`, which panics where nobody reads.
        let _ = if is_over {
            let held = Span(self.acquired.elapsed());
            writeln!(io::stderr(), "lockattr: waited {waited}, held {held}")
        } else {
            writeln!(io::stderr(), "lockattr: waited {waited}")
        };
    }
}
