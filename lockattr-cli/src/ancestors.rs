//! The processes that have started this one.

use std::os::unix::process::parent_id;

use lockattr_runtime::{Holder, Lock, LockError};

use crate::exit::Stop;
use crate::process;
use crate::report;
use crate::text::Escaped;

/// The holder of `lock`, if it is an ancestor of this process: to wait for it would never end, where it waits
/// for this one.
pub(crate) fn holder(lock: &Lock) -> Result<Option<Holder>, LockError> {
    let Some(holder) = lock.holder()? else { return Ok(None) };
    let is_ancestor = |pid| all().any(|ancestor| ancestor == pid);
    // A process that left it taken (`get`) has ended.
    Ok(holder.pid.is_some_and(is_ancestor).then_some(holder))
}

/// The parent, its parent, and so on, as far as this process can see.
fn all() -> impl Iterator<Item = u32> {
    let first = Some(parent_id());
    std::iter::successors(first, |pid| process::parent(*pid)).take_while(|pid| *pid != 0).take(1000)
}

/// Why there is no waiting for it.
pub(crate) fn would_deadlock(lock: &Lock, holder: &Holder) -> Stop {
    let who = report::holder(holder, &mut report::Users::default());
    Stop::failed(format!(
        "lock \"{}\": {who}, which has started this command and would wait for it: this would never end; \
         `--reenter` of `lockattr run` runs under its hold",
        Escaped(lock.name())
    ))
}
