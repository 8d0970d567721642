//! Becoming the command: at once (`--no-fork`), or in a process that dies with the one that holds the locks.
//!
//! What is to die with its parent has to say so itself, before it is the command (`PR_SET_PDEATHSIG`,
//! `PR_SET_PDEATHSIG(2const)`). So this program is started again, says so, and becomes the command.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{parent_id, CommandExt as _};
use std::process::Command;

use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::exit::{Exit, Stop};
use crate::text::Escaped;

/// The first argument of this program where it is to become a command: then follow the pid of its parent and
/// the command.
pub(crate) const EXECUTE: &str = "__exec";

/// The command, in a process that is killed when this one ends.
pub(super) fn bound_to_this_process(program: &OsStr, arguments: &[OsString]) -> Command {
    let mut command = Command::new("/proc/self/exe"); // also where the file has been replaced
    command.arg(EXECUTE).arg(std::process::id().to_string()).arg(program).args(arguments);
    command
}

/// Is the process that becomes the command.
pub(crate) fn execute(mut arguments: impl Iterator<Item = OsString>) -> Exit {
    let parent = arguments.next().and_then(|pid| pid.to_str()?.parse::<u32>().ok());
    let (Some(parent), Some(program)) = (parent, arguments.next()) else {
        return Stop::usage("this is started by `lockattr run` alone").report();
    };
    if let Err(error) = prctl::set_pdeathsig(Signal::SIGKILL) {
        return Stop::failed(format!("cannot let the command die with lockattr: {error}")).report();
    }
    // It may have ended before, and its locks with it.
    if parent_id() != parent {
        return Exit::Failed;
    }
    become_it(&program, &arguments.collect::<Vec<_>>()).report()
}

/// Becomes the command; or says why not.
pub(super) fn become_it(program: &OsStr, arguments: &[OsString]) -> Stop {
    not_started(program, &Command::new(program).args(arguments).exec())
}

pub(super) fn not_started(program: &OsStr, error: &io::Error) -> Stop {
    let exit = match error.kind() {
        io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::NotExecutable,
    };
    Stop::With(exit, format!("cannot run {}: {error}", Escaped(&program.to_string_lossy())))
}
