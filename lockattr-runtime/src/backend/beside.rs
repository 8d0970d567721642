//! Whether a name that is about to be taken is held under another backend.
//!
//! The backends do not exclude each other: a program that takes the port `N` beside one that holds the
//! semaphore `N` is in at the same time. So a process looks once, when it first takes a name: before its first
//! acquire of a port or TCP lock, and before it opens the files of a semaphore. What is seen is a live holder.
//! What is not seen:
//! - a holder that comes later. (It looks itself, at its own first acquire; a process that has
//!   looked before does not look again. Two that look in the same moment miss each other.)
//! - a semaphore of another user that this one may not look at, and one that no record or text explains;
//! - a holder of a TCP lock that is none of lockattr's: it does not listen, and no port is tried for this;
//! - a port or TCP lock in another network namespace, a semaphore in another mount namespace.
//!
//! It is a help against a mistake, and no exclusion.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Failure, Tcp};
use crate::holder::Holder;
use crate::kind::Backend;

/// How long a look may take at whom to name.
const PATIENCE: Duration = Duration::from_millis(50);

/// Of one lock: whether this process has looked.
#[derive(Debug, Default)]
pub(super) struct Once(AtomicBool);

impl Once {
    /// As [`check`], until it has found nobody.
    pub(super) fn check(&self, name: &str, wanted: Backend) -> Result<(), Failure> {
        if !self.0.load(Ordering::Relaxed) {
            check(name, wanted)?;
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// That nobody holds the name under another backend than `wanted`, as far as can be seen.
///
/// # Errors
/// [`Failure::OtherBackend`] if a process does.
#[cold]
pub(super) fn check(name: &str, wanted: Backend) -> Result<(), Failure> {
    for other in [Backend::Port, Backend::Semaphore, Backend::Tcp] {
        if let Some(holder) = (other != wanted).then(|| holder_under(other, name)).flatten() {
            return Err(Failure::OtherBackend { wanted, other, holder: Box::new(holder) });
        }
    }
    Ok(())
}

fn holder_under(backend: Backend, name: &str) -> Option<Holder> {
    match backend {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Backend::Port => port_holder(name),
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        Backend::Semaphore => semaphore_holder(name),
        Backend::Tcp => Tcp::new(name).holder_until(Instant::now() + PATIENCE),
        #[allow(unreachable_patterns)] // those that this system does not have
        _ => None,
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn semaphore_holder(name: &str) -> Option<Holder> {
    use super::{RawLock as _, Semaphore};
    use crate::kind::Kind;
    use crate::name;
    use crate::standing::Standing;

    // A port's name may be one that no semaphore has, such as a path.
    if name::check(name, Backend::Semaphore).is_err() || name.starts_with('/') {
        return None;
    }
    let looked = Semaphore::new(name, Kind::new(Backend::Semaphore).mode).standing();
    match looked {
        Ok(Standing::Held { holder }) => Some(*holder),
        _ => None,
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn port_holder(name: &str) -> Option<Holder> {
    use super::Port;
    use crate::name;

    if name::check(name, Backend::Port).is_err() {
        return None;
    }
    Port::new(name).holder_until(Instant::now() + PATIENCE)
}
