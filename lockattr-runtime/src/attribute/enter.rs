//! Taking the locks of an annotated function: all of them within one deadline, or none.

use std::fmt::{self, Write as _};
#[cfg(feature = "async")]
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::names::Handle;
use crate::info::Info;
use crate::several;
use crate::state::{Request, State};
use crate::text::Buffer;
use crate::{LockError, LockGuard};

/// How an annotated function takes its locks.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// For how long to wait.
    pub timeout: Duration,
    /// Whether a thread that holds already enters again.
    pub reentrant: bool,
    /// Whether there is an `on_recover`: it must hear of a death, and of a panic.
    pub recovers: bool,
}

impl Options {
    fn request(self) -> Request {
        let Self { timeout, reentrant, recovers } = self;
        Request { reentrant, recovers, ..Request::new(timeout) }
    }
}

/// Takes the locks for an annotated function, which `function` names.
///
/// The call site is the annotated function's own: every function between is `#[track_caller]`, where
/// Rust permits it.
///
/// # Errors
/// As [`acquire_all`](crate::acquire_all), and the first error of `locks`.
#[track_caller]
pub fn enter<const N: usize>(
    locks: [Result<Handle, LockError>; N],
    options: Options,
    function: &'static str,
) -> Result<[LockGuard; N], LockError> {
    take(locks, options, Info::Function(function, Location::caller()))
}

/// As [`enter`], where the attribute says what the info is.
///
/// # Errors
/// As [`enter`].
pub fn enter_with<const N: usize>(
    locks: [Result<Handle, LockError>; N],
    options: Options,
    info: fmt::Arguments<'_>,
) -> Result<[LockGuard; N], LockError> {
    /// A longer text made of arguments is cut.
    const BYTES: usize = 512;

    if let Some(text) = info.as_str() {
        return take(locks, options, Info::Text(text));
    }
    // Before anything is taken: an argument's `Display` is the user's code.
    let mut text = Buffer::<BYTES>::new();
    let _ = text.write_fmt(info); // what an argument could not write is left out
    take(locks, options, Info::Text(text.as_str()))
}

fn take<const N: usize>(
    locks: [Result<Handle, LockError>; N],
    options: Options,
    info: Info<'_>,
) -> Result<[LockGuard; N], LockError> {
    let request = options.request();
    several::in_order(&opened(locks)?, |state| LockGuard::acquire(state, request, info))
}

/// As [`enter`], for an `async fn`. The call site is the place of the attribute.
///
/// # Errors
/// As [`enter`].
#[cfg(feature = "async")]
#[track_caller]
pub fn enter_async<const N: usize>(
    locks: [Result<Handle, LockError>; N],
    options: Options,
    function: &'static str,
) -> impl Future<Output = Result<[LockGuard; N], LockError>> + Send {
    let info = Info::Function(function, Location::caller());
    async move { several::in_order_async(&opened(locks)?, options.request(), info).await }
}

/// As [`enter_async`], where the attribute says what the info is.
///
/// # Errors
/// As [`enter`].
#[cfg(feature = "async")]
pub fn enter_async_with<const N: usize>(
    locks: [Result<Handle, LockError>; N],
    options: Options,
    info: fmt::Arguments<'_>,
) -> impl Future<Output = Result<[LockGuard; N], LockError>> + Send {
    let info = fmt::format(info);
    async move { several::in_order_async(&opened(locks)?, options.request(), Info::Text(&info)).await }
}

fn opened<const N: usize>(
    locks: [Result<Handle, LockError>; N],
) -> Result<[Arc<State>; N], LockError> {
    several::all(locks.map(|lock| lock.map(|Handle(state)| state)))
}
