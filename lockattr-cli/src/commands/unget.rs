//! `lockattr unget`.

use std::thread;
use std::time::{Duration, Instant};

use lockattr_runtime::{Backend, Holder, KnownBy, Lock, Standing, Tenure};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::cli::Unget;
use crate::exit::{Exit, Stop};
use crate::keeper;
use crate::mode;
use crate::process;
use crate::report::{self, Users};
use crate::survey;
use crate::text::Escaped;

pub(super) fn unget(unget: &Unget, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = mode::with(survey::open(&unget.name, backend)?, unget.shared.mode)?;
    let standing = lock.standing()?;
    // To lockattr such a lock is free, as its next process inherits it. To resourcelock it is taken.
    let is_left = matches!(standing, Standing::Left { .. });
    let who = standing.into_holder();
    let is_released = match &who {
        None => is_left && lock.force_release()?,
        Some(holder) if holder.tenure == Tenure::Detached => lock.force_release()?,
        Some(holder) => match holder.pid.filter(|pid| keeper::is_keeper(*pid, &lock)) {
            Some(keeper) => end(&lock, keeper)?,
            None if unget.kill => end(&lock, target(&lock, holder)?)?,
            None if unget.force && lock.backend() == Backend::Semaphore => lock.force_release()?,
            None => return Err(refusal(&lock, holder)),
        },
    };
    if !is_released {
        return Err(Stop::With(Exit::Not, nothing(&lock)));
    }
    let was = who.map_or_else(String::new, |holder| {
        let goes_on = if is_by_force(&lock, &holder) {
            "; that process goes on, and lockattr's programs wait for it still"
        } else {
            ""
        };
        format!("; it was {}{goes_on}", report::holder(&holder, &mut Users::default()))
    });
    let message = unget
        .message
        .as_deref()
        .map_or_else(String::new, |message| format!(" <{}>", Escaped(message)));
    let (name, backend) = (Escaped(lock.name()), lock.backend());
    report::print(&format!("\"{name}\" ({backend}): released{was}{message}\n"))?;
    Ok(Exit::Done)
}

/// Whether a semaphore was taken away from a process of lockattr that lives, for all but lockattr.
fn is_by_force(lock: &Lock, holder: &Holder) -> bool {
    lock.backend() == Backend::Semaphore
        && holder.tenure == Tenure::Holds
        && holder.known_by == KnownBy::Record
        && matches!(lock.holder(), Ok(Some(still)) if still.pid == holder.pid)
}

fn nothing(lock: &Lock) -> String {
    let unknown = if survey::is_known(lock) { "" } else { ", and unknown" };
    format!("\"{}\" ({}): free{unknown}; nothing to release", Escaped(lock.name()), lock.backend())
}

fn refusal(lock: &Lock, holder: &Holder) -> Stop {
    let advice = match lock.backend() {
        Backend::Port if holder.tenure == Tenure::OnItsWay => {
            "it takes the lock up when it goes on (`kill -CONT`), and its end would free it"
        }
        Backend::Port | Backend::Tcp => {
            "only the holder can let go of such a lock; `--kill` sends it SIGTERM"
        }
        _ if holder.known_by == KnownBy::Text || holder.pid.is_none() => {
            "nobody can tell whether that program runs; if it does not, `--force` releases the lock"
        }
        _ => "`--force` releases the lock all the same, and that program goes on as if it had it",
    };
    let who = report::holder(holder, &mut Users::default());
    Stop::failed(format!(
        "\"{}\" ({}): not released: {who}; {advice}",
        Escaped(lock.name()),
        lock.backend()
    ))
}

/// Whom to send SIGTERM to: only one of whom the kernel says that it holds.
fn target(lock: &Lock, holder: &Holder) -> Result<u32, Stop> {
    if lock.backend() == Backend::Semaphore {
        return Err(Stop::usage(
            "`--kill` is for port locks; a semaphore is released by `--force`",
        ));
    }
    match (holder.pid, holder.known_by) {
        _ if holder.tenure == Tenure::OnItsWay => Err(refusal(lock, holder)),
        (Some(pid), KnownBy::Kernel | KnownBy::Proc) => Ok(pid),
        _ => Err(Stop::failed(format!(
            "\"{}\": the kernel does not say which process holds it, so none is ended",
            Escaped(lock.name())
        ))),
    }
}

/// Sends SIGTERM to `pid`, which holds the lock, and waits until it holds it no more. False if it did
/// not hold it any more before.
fn end(lock: &Lock, pid: u32) -> Result<bool, Stop> {
    /// For a program to bring in order what it was doing.
    const PATIENCE: Duration = Duration::from_secs(2);
    const LOOK_EVERY: Duration = Duration::from_millis(5);

    let holds = || Ok::<_, Stop>(lock.holder()?.is_some_and(|holder| holder.pid == Some(pid)));
    // A pid is given to another process once its own has ended. The holder that is seen between two
    // looks at the same start time is the process that is meant.
    let started = process::start_time(pid);
    if started.is_none() || !holds()? || process::start_time(pid) != started {
        return Ok(false);
    }
    let target = i32::try_from(pid).map_err(Stop::failed)?;
    kill(Pid::from_raw(target), Signal::SIGTERM).map_err(|error| {
        Stop::failed(format!("pid {pid} holds it, and cannot be sent SIGTERM: {error}"))
    })?;
    let sent = Instant::now();
    while process::start_time(pid) == started && holds()? {
        if sent.elapsed() > PATIENCE {
            return Err(Stop::failed(format!("pid {pid} was sent SIGTERM, and holds it still")));
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(true)
}
