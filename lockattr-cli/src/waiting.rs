//! What is said while a lock is waited for.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lockattr_runtime::Lock;
use lockattr_survey::Status;

use crate::report::{self, Users};
use crate::text::Escaped;

/// Waits that are shorter are not spoken of.
const SHORT: Duration = Duration::from_secs(1);

/// How often a terminal shows who holds the lock by now.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Runs `wait`, which waits for `lock`, and says so on standard error if it takes its time: one line, or on a
/// terminal a line that changes until the wait is over. Nothing if `quiet`.
pub(crate) fn aloud<T>(lock: &Lock, quiet: bool, wait: impl FnOnce() -> T) -> T {
    if quiet {
        return wait();
    }
    // Only this process's main thread may start the command: it dies with the thread that starts it.
    let (is_over, over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || tell(lock, &over));
        let waited = wait();
        drop(is_over);
        waited
    })
}

fn tell(lock: &Lock, over: &Receiver<()>) {
    let start = Instant::now();
    if goes_on(over, SHORT) {
        if io::stderr().is_terminal() {
            show(lock, over, start);
        } else {
            // Not `eprintln!`, which panics where nobody reads.
            let _ = writeln!(io::stderr(), "lockattr: {}", line(lock));
        }
    }
}

/// Whether the wait goes on for that long.
fn goes_on(over: &Receiver<()>, time: Duration) -> bool {
    over.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

fn show(lock: &Lock, over: &Receiver<()>, start: Instant) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
        bar.set_style(style);
    }
    let bar = bar.with_elapsed(start.elapsed());
    bar.enable_steady_tick(Duration::from_millis(100));
    loop {
        bar.set_message(line(lock));
        if !goes_on(over, LOOK_EVERY) {
            break;
        }
    }
    bar.finish_and_clear();
}

fn line(lock: &Lock) -> String {
    let status = Status::of(lock).ok();
    // While another program has the device, its lock is this process's.
    let others = lock.others().unwrap_or_default();
    let holder = others.first().or(status.as_ref().and_then(Status::holder));
    let who = holder.map_or_else(String::new, |holder| {
        format!(", {}", report::holder(holder, &mut Users::default()))
    });
    let others = status.as_ref().and_then(|status| status.waiters).unwrap_or(0).saturating_sub(1);
    let others = match others {
        0 => String::new(),
        1 => "; 1 other waits".to_owned(),
        others => format!("; {others} others wait"),
    };
    format!("waiting for \"{}\" ({}){who}{others}", Escaped(lock.name()), lock.backend())
}
