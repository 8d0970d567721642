//! `lockattr run`.

use std::ffi::{c_int, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lockattr_runtime::{Backend, Lock, LockGuard};
use nix::sys::signal::{kill, Signal};
use nix::sys::wait::{waitid, Id, WaitPidFlag};
use nix::unistd::Pid;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::iterator::SignalsInfo;
use signal_hook::low_level::siginfo::Cause;

use crate::cli::Run;
use crate::duration::FOR_EVER;
use crate::exit::{Exit, Stop};
use crate::mode;
use crate::signals;
use crate::text::Escaped;
use crate::which;

/// What is passed on to the command.
const PASSED_ON: [c_int; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

pub(super) fn run(run: &Run, backend: Option<Backend>) -> Result<Exit, Stop> {
    let Some((program, arguments)) = run.command.split_first() else {
        return Err(Stop::usage("no command to run"));
    };
    let guards = acquire(run, backend, program)?;
    // Before the command is started: a signal between the two would end this program alone.
    let wanted = PASSED_ON.into_iter().filter(|signal| !signals::is_ignored(*signal));
    // Whoever ignores SIGCHLD is not told how a child ended (wait(2)), and may have been started so.
    let signals = SignalsInfo::<WithOrigin>::new(wanted.chain([SIGCHLD]))?;
    let child = match Command::new(program).args(arguments).spawn() {
        Ok(child) => child,
        Err(error) => return Err(not_started(program, &error)),
    };
    let status = wait(child, signals)?;
    drop(guards);
    Ok(exit(status))
}

/// All the locks, in one order for all processes, so that nobody waits in a circle.
fn acquire(
    run: &Run,
    backend: Option<Backend>,
    program: &OsString,
) -> Result<Vec<LockGuard>, Stop> {
    let start = Instant::now();
    let timeout = run.timeout.unwrap_or(FOR_EVER);
    let info = run.message.clone().unwrap_or_else(|| program.to_string_lossy().into_owned());
    let mut locks = Vec::new();
    for name in &run.names {
        locks.push(mode::with(which::to_take(name, backend)?, run.shared.mode)?);
    }
    locks.sort_by(|one, other| one.name().cmp(other.name()));
    // Who names a lock twice wants it once.
    locks.dedup_by(|one, other| one.name() == other.name());
    let acquire = |lock: &Lock| {
        let left = if timeout == FOR_EVER { timeout } else { remaining(timeout, start) };
        lock.acquire_with_info(left, &info)
    };
    locks.iter().map(acquire).collect::<Result<_, _>>().map_err(|error| match Exit::of(&error) {
        Exit::Not => Stop::With(Exit::Other(run.conflict_exit_code), error.to_string()),
        _ => error.into(),
    })
}

fn remaining(timeout: Duration, start: Instant) -> Duration {
    timeout.saturating_sub(start.elapsed())
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

fn not_started(program: &OsString, error: &io::Error) -> Stop {
    let exit = match error.kind() {
        io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::NotExecutable,
    };
    Stop::With(exit, format!("cannot run {}: {error}", Escaped(&program.to_string_lossy())))
}

/// As shells report it.
fn exit(status: ExitStatus) -> Exit {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(255);
    Exit::Other(u8::try_from(code).unwrap_or(255))
}
