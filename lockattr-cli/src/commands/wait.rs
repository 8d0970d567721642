//! `lockattr wait`.

use std::thread;
use std::time::{Duration, Instant};

use lockattr_runtime::{Backend, Lock};

use crate::ancestors;
use crate::cli::Wait;
use crate::duration::FOR_EVER;
use crate::exit::{Exit, Stop};
use crate::report::{self, Users};
use crate::text::{Escaped, Span};
use crate::waiting;
use crate::which;

/// How often a lock is looked at. A look at a port lock is one at a connection that is there already.
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(super) fn wait(wait: &Wait, backend: Option<Backend>) -> Result<Exit, Stop> {
    let lock = which::to_look_at(&wait.name, backend)?;
    if !lock.is_locked()? {
        return Ok(Exit::Done);
    }
    let timeout = wait.timeout.unwrap_or(FOR_EVER);
    if timeout > Duration::ZERO {
        if let Some(holder) = ancestors::holder(&lock)? {
            return Err(ancestors::would_deadlock(&lock, &holder));
        }
    }
    let end = Instant::now().checked_add(timeout);
    let is_free = waiting::aloud(&lock, wait.quiet, || until_free(&lock, end))?;
    match is_free {
        true => Ok(Exit::Done),
        false if wait.quiet => Ok(Exit::Not),
        false => Err(Stop::With(Exit::Not, refusal(&lock, timeout)?)),
    }
}

/// False if it is not free by then.
fn until_free(lock: &Lock, end: Option<Instant>) -> Result<bool, Stop> {
    loop {
        if !lock.is_locked()? {
            return Ok(true);
        }
        let left = end.map_or(LOOK_EVERY, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Ok(false);
        }
        thread::sleep(left.min(LOOK_EVERY));
    }
}

fn refusal(lock: &Lock, timeout: Duration) -> Result<String, Stop> {
    let who = lock.holder()?.map_or_else(String::new, |holder| {
        format!("; {}", report::holder(&holder, &mut Users::default()))
    });
    let name = Escaped(lock.name());
    Ok(format!("lock \"{name}\": not free after {}{who}", Span(timeout)))
}
