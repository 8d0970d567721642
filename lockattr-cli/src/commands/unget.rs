//! `lockattr unget`.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::thread;
use std::time::{Duration, Instant};

use lockattr_runtime::{Backend, Holder, KnownBy, Lock, Standing, Tenure};
use nix::sys::signal::{kill, Signal};
use nix::unistd::{geteuid, Pid};

use crate::cli::Unget;
use crate::exit::{Exit, Stop};
use crate::keeper;
use crate::mode;
use crate::process;
use crate::report::{self, Users};
use crate::text::Escaped;
use crate::which;

pub(super) fn unget(unget: &Unget, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = mode::with(which::to_look_at(&unget.name, backend)?, unget.shared.mode)?;
    let standing = lock.standing()?;
    // To lockattr such a lock is free, as its next process inherits it. To resourcelock it is taken.
    let is_left = matches!(standing, Standing::Left { .. });
    let who = standing.into_holder();
    let is_released = match &who {
        None => is_left && lock.force_release()?,
        Some(holder) if holder.tenure == Tenure::Detached => lock.force_release()?,
        Some(holder) => match holder.pid.filter(|pid| keeper::is_keeper(*pid, &lock)) {
            Some(keeper) => end(&lock, keeper)?,
            None if unget.kill => end(&lock, target(&lock, holder, unget)?)?,
            None if unget.force && lock.backend() == Backend::Semaphore => force(&lock, holder)?,
            None => return Err(refusal(&lock, holder, unget)),
        },
    };
    if !is_released {
        return Err(Stop::With(Exit::Not, nothing(&lock)));
    }
    let was = who.map_or_else(String::new, |holder| {
        format!("; it was {}", report::holder(&holder, &mut Users::default()))
    });
    let message = unget
        .message
        .as_deref()
        .map_or_else(String::new, |message| format!(" <{}>", Escaped(message)));
    let (name, backend) = (Escaped(lock.name()), lock.backend());
    report::print(&format!("\"{name}\" ({backend}): released{was}{message}\n"))?;
    Ok(Exit::Done)
}

/// Releases a semaphore by force. A live program of lockattr still holds it, as far as lockattr's
/// programs are concerned: that is no release.
fn force(lock: &Lock, holder: &Holder) -> Result<bool, Stop> {
    let is_released = lock.force_release()?;
    let still = lock.holder()?.filter(|still| {
        still.pid == holder.pid
            && still.tenure == Tenure::Holds
            && still.known_by == KnownBy::Record
    });
    match still {
        None => Ok(is_released),
        Some(still) => Err(Stop::failed(format!(
            "\"{}\" ({}): posted, and not released: {}, and goes on holding it: lockattr's programs wait for \
             it still, while resourcelock's can come in beside it; `--kill` sends it SIGTERM",
            Escaped(lock.name()),
            lock.backend(),
            report::holder(&still, &mut Users::default())
        ))),
    }
}

fn nothing(lock: &Lock) -> String {
    let unknown = if lockattr_survey::is_known(lock) { "" } else { ", and unknown" };
    format!("\"{}\" ({}): free{unknown}; nothing to release", Escaped(lock.name()), lock.backend())
}

fn refusal(lock: &Lock, holder: &Holder, unget: &Unget) -> Stop {
    let advice = match lock.backend() {
        Backend::Port if holder.tenure == Tenure::OnItsWay => {
            "it takes the lock up when it goes on (`kill -CONT`), and its end would free it".to_owned()
        }
        Backend::Port | Backend::Tcp => {
            "only the holder can let go of such a lock; `--kill` sends it SIGTERM".to_owned()
        }
        _ if holder.known_by == KnownBy::Text || holder.pid.is_none() => match stranger(lock, unget) {
            None => "nobody can tell whether that program runs; if it does not, `--force` releases the lock"
                .to_owned(),
            Some(user) => format!(
                "nobody can tell whether that program runs; if it does not, run as that user: \
                 `sudo -u {user} lockattr unget --force {}`",
                Escaped(lock.name())
            ),
        },
        _ => "that program runs, and lets go of it at its end; `--kill` sends it SIGTERM".to_owned(),
    };
    let who = report::holder(holder, &mut Users::default());
    Stop::failed(format!(
        "\"{}\" ({}): not released: {who}; {advice}",
        Escaped(lock.name()),
        lock.backend()
    ))
}

/// The user whose private semaphore this one may not use, be it root.
fn stranger(lock: &Lock, unget: &Unget) -> Option<String> {
    let file = fs::metadata(format!("/dev/shm/sem.{}", lock.name())).ok()?;
    let shared = file.mode() & unget.shared.mode.unwrap_or(0o600);
    let is_shared = shared & 0o060 == 0o060 || shared & 0o006 == 0o006;
    let is_used = file.uid() == 0 || file.uid() == geteuid().as_raw() || is_shared;
    let user = || process::user(file.uid()).unwrap_or_else(|| format!("'#{}'", file.uid()));
    (!is_used).then(user)
}

/// Whom to send SIGTERM to: only one of whom the kernel or a semaphore's record says that it holds.
fn target(lock: &Lock, holder: &Holder, unget: &Unget) -> Result<u32, Stop> {
    let knows = match lock.backend() {
        Backend::Port | Backend::Tcp => matches!(holder.known_by, KnownBy::Kernel | KnownBy::Proc),
        // The process of that pid has been compared with the one that took the lock (its start, its image).
        _ => holder.known_by == KnownBy::Record && holder.tenure == Tenure::Holds,
    };
    match holder.pid {
        _ if holder.tenure == Tenure::OnItsWay => Err(refusal(lock, holder, unget)),
        Some(pid) if knows => Ok(pid),
        _ => Err(Stop::failed(format!(
            "\"{}\" ({}): nothing says which process holds it, so none is ended: {}",
            Escaped(lock.name()),
            lock.backend(),
            report::holder(holder, &mut Users::default())
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
    // A semaphore whose holder died is free to lockattr. Now it is to resourcelock, too.
    if matches!(lock.standing()?, Standing::Left { .. }) {
        lock.force_release()?;
    }
    Ok(true)
}
