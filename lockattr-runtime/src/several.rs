//! Several locks at once.

use std::array;
use std::panic::Location;
use std::time::Duration;

use crate::error::LockError;
use crate::guard::LockGuard;
use crate::lock::Lock;
use crate::state::Request;

/// Takes several locks, all within `timeout`, or none of them.
///
/// Whatever the order they are given in, they are taken in one global order, by name: two processes
/// that take the same locks never wait for each other in a circle. That holds for locks which are
/// taken here together. Who takes a second lock by itself while holding a first one must keep the
/// order himself.
///
/// The guards come in the order of the locks.
///
/// ```
/// use std::time::Duration;
/// use lockattr_runtime::{acquire_all, Lock, LockError};
///
/// static BUS: Lock = Lock::port("doc-all-i2c");
/// static RESET: Lock = Lock::port("doc-all-gpio");
///
/// let _guards = acquire_all([&BUS, &RESET], Duration::from_secs(2))?;
/// # Ok::<_, LockError>(())
/// ```
///
/// # Errors
/// As [`Lock::acquire`], for the first lock that fails; what had been taken is given back. One lock
/// twice is [`LockError::WouldDeadlock`].
#[track_caller]
pub fn acquire_all<const N: usize>(
    locks: [&Lock; N],
    timeout: Duration,
) -> Result<[LockGuard; N], LockError> {
    let request = Request::new(timeout, Location::caller());
    let mut order: [usize; N] = array::from_fn(|index| index);
    order.sort_unstable_by_key(|&index| locks[index].name());

    let mut guards: [Option<LockGuard>; N] = array::from_fn(|_| None);
    for index in order {
        guards[index] = Some(LockGuard::acquire(locks[index].state()?.clone(), request)?);
    }
    Ok(guards.map(|guard| match guard {
        Some(guard) => guard,
        None => unreachable!("each lock has been taken"),
    }))
}
