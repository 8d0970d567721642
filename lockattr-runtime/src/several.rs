//! Several locks at once.

use std::array;
#[cfg(feature = "async")]
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::error::LockError;
use crate::guard::LockGuard;
use crate::info::Info;
use crate::lock::Lock;
use crate::state::{Request, State};

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
    let request = Request::new(timeout);
    let place = Info::Place(Location::caller());
    let states = all(locks.map(|lock| lock.state().cloned()))?;
    in_order(&states, |state| LockGuard::acquire(state, request, place))
}

/// As [`acquire_all`], without blocking the thread. See [`Lock::acquire_async`].
///
/// # Errors
/// As [`acquire_all`].
#[cfg(feature = "async")]
#[track_caller]
pub fn acquire_all_async<const N: usize>(
    locks: [&Lock; N],
    timeout: Duration,
) -> impl Future<Output = Result<[LockGuard; N], LockError>> + Send + '_ {
    let place = Info::Place(Location::caller());
    async move {
        let states = all(locks.map(|lock| lock.state().cloned()))?;
        in_order_async(&states, Request::new(timeout), place).await
    }
}

/// Takes one after the other in the global order, and returns the guards in the order of `states`.
pub(crate) fn in_order<const N: usize>(
    states: &[Arc<State>; N],
    acquire: impl Fn(Arc<State>) -> Result<LockGuard, LockError>,
) -> Result<[LockGuard; N], LockError> {
    let mut guards: [Option<LockGuard>; N] = array::from_fn(|_| None);
    for index in global_order(states) {
        guards[index] = Some(acquire(states[index].clone())?);
    }
    Ok(guards.map(present))
}

/// As [`in_order`], without blocking the thread.
#[cfg(feature = "async")]
pub(crate) async fn in_order_async<const N: usize>(
    states: &[Arc<State>; N],
    request: Request,
    info: Info<'_>,
) -> Result<[LockGuard; N], LockError> {
    let order = global_order(states);
    // No thread holds for a task, so nobody would notice that it waits for itself.
    if let Some(twice) =
        order.windows(2).find(|pair| Arc::ptr_eq(&states[pair[0]], &states[pair[1]]))
    {
        return Err(states[twice[0]].would_deadlock());
    }
    let mut guards: [Option<LockGuard>; N] = array::from_fn(|_| None);
    for index in order {
        guards[index] = Some(LockGuard::acquire_async(states[index].clone(), request, info).await?);
    }
    Ok(guards.map(present))
}

/// By name: the order that every process has.
fn global_order<const N: usize>(states: &[Arc<State>; N]) -> [usize; N] {
    let mut order = array::from_fn(|index| index);
    order.sort_unstable_by_key(|&index| states[index].name());
    order
}

/// All values, or the first error.
pub(crate) fn all<T, E, const N: usize>(results: [Result<T, E>; N]) -> Result<[T; N], E> {
    let mut first_error = None;
    let values = results.map(|result| match result {
        Ok(value) => Some(value),
        Err(error) => {
            first_error.get_or_insert(error);
            None
        }
    });
    match first_error {
        Some(error) => Err(error),
        None => Ok(values.map(present)),
    }
}

fn present<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => unreachable!("every place has been filled"),
    }
}
