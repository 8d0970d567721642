//! Starting the command, and waiting for its end.

use std::ffi::{c_int, OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::thread;

use nix::sys::signal::{kill, Signal};
use nix::sys::wait::{waitid, Id, WaitPidFlag};
use nix::unistd::Pid;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::iterator::SignalsInfo;
use signal_hook::low_level::siginfo::Cause;

use super::execute;
use crate::exit::{Exit, Stop};
use crate::signals;

/// What is passed on to the command.
const PASSED_ON: [c_int; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// What becomes of the command when this process dies before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It dies, as the locks are free from then on.
    Dies,
    /// It goes on, as it has the locks.
    Lives,
}

/// Runs the command to its end.
pub(super) fn run(program: &OsStr, arguments: &[OsString], fate: Fate) -> Result<Exit, Stop> {
    // Before the command is started: a signal between the two would end this program alone.
    let wanted = PASSED_ON.into_iter().filter(|signal| !signals::is_ignored(*signal));
    // Who ignores SIGCHLD is not told how a child ended (wait(2)), and may have been started so.
    let signals = SignalsInfo::<WithOrigin>::new(wanted.chain([SIGCHLD]))?;
    // By this thread, which lives as long as the process: a child dies with the thread that started it.
    let child = match fate {
        Fate::Dies => execute::bound_to_this_process(program, arguments).spawn()?,
        Fate::Lives => match Command::new(program).args(arguments).spawn() {
            Ok(child) => child,
            Err(error) => return Err(execute::not_started(program, &error)),
        },
    };
    Ok(exit(wait(child, signals)?))
}

/// Waits for the end of `child`, and passes signals on to it meanwhile.
fn wait(child: Child, mut signals: SignalsInfo<WithOrigin>) -> Result<ExitStatus, Stop> {
    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(Stop::failed)?);
    let handle = signals.handle();
    // None once its end has been waited for: the pid may then be another process's.
    let child = Mutex::new(Some(child));
    let child = || child.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        scope.spawn(|| {
            for origin in &mut signals {
                // What a terminal sends goes to the command by itself, as to all of its group.
                if origin.cause == Cause::Kernel || !PASSED_ON.contains(&origin.signal) {
                    continue;
                }
                if let (Ok(signal), Some(_)) = (Signal::try_from(origin.signal), &*child()) {
                    let _ = kill(pid, signal);
                }
            }
        });
        let ended = loop {
            // It stays a zombie, so that its pid is still its own.
            match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
                Err(nix::Error::EINTR) => {}
                ended => break ended,
            }
        };
        let status = child().take().map(|mut child| child.wait());
        handle.close();
        ended?;
        Ok(status.unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))?)
    })
}

/// As shells report it.
fn exit(status: ExitStatus) -> Exit {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(255);
    Exit::Other(u8::try_from(code).unwrap_or(255))
}
