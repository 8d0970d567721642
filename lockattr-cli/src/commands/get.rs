//! `lockattr get`.

use std::os::unix::process::parent_id;
use std::time::Duration;

use lockattr_runtime::{Backend, Lock};

use crate::ancestors;
use crate::cli::Get;
use crate::exit::{Exit, Stop};
use crate::keeper::{self, Hold};
use crate::mode;
use crate::process;
use crate::report;
use crate::text::Escaped;
use crate::waiting;
use crate::which;

pub(super) fn get(get: &Get, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = mode::with(which::to_take(&get.name, backend)?, get.shared.mode)?;
    let timeout = if get.nonblock { Duration::ZERO } else { get.timeout };
    if let Some(pid) = get.pid.filter(|pid| process::start_time(*pid).is_none()) {
        let wanted = "in a script, `--pid $$` is the script's own";
        return Err(Stop::failed(format!("`--pid`: there is no process {pid}; {wanted}")));
    }
    if timeout > Duration::ZERO {
        if let Some(holder) = ancestors::holder(&lock)? {
            return Err(ancestors::would_deadlock(&lock, &holder));
        }
    }
    let hold = Hold { timeout, message: message(get), after: get.auto_unget, pid: get.pid };
    let has_no_end = hold.after.is_none() && hold.pid.is_none();
    let needs_nobody = lock.backend() == Backend::Semaphore && has_no_end;
    let taken = waiting::aloud(&lock, get.quiet, || {
        if needs_nobody {
            leave_taken(&lock, &hold)
        } else {
            keeper::start(&hold, &lock, get.shared.mode)
        }
    });
    match taken {
        Err(Stop::With(exit, _)) if get.quiet && exit.code() == Exit::Not.code() => {
            return Err(Stop::Silent(exit));
        }
        taken => taken?,
    }
    let name = Escaped(lock.name());
    report::print(&format!("\"{name}\" ({}): taken\n", lock.backend()))?;
    Ok(Exit::Done)
}

/// What others see: what the user says or who that is, and for how long.
fn message(get: &Get) -> String {
    let process = |pid: u32| match process::command(pid) {
        Some(command) => format!("{command} (pid {pid})"),
        None => format!("pid {pid}"),
    };
    let what = get.message.clone();
    let what = what.unwrap_or_else(|| format!("lockattr get, by {}", process(parent_id())));
    let until = match (get.auto_unget, get.pid) {
        (Some(after), None) => format!(" (for {})", humantime::format_duration(after)),
        (None, Some(pid)) => format!(" (while {} runs)", process(pid)),
        (Some(after), Some(pid)) => {
            format!(" (for {}, while {} runs)", humantime::format_duration(after), process(pid))
        }
        (None, None) => String::new(),
    };
    what + &until
}

/// A semaphore needs no process that holds it.
fn leave_taken(lock: &Lock, hold: &Hold) -> Result<(), Stop> {
    Ok(lock.with().timeout(hold.timeout).info(&hold.message).acquire()?.detach()?)
}
