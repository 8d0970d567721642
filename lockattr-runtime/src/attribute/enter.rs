//! Taking the locks of an annotated function: all of them within one deadline, or none.

use std::fmt::{self, Write as _};
#[cfg(feature = "async")]
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use crate::info::Info;
use crate::request::Request;
use crate::several::{self, Handle, Handles};
use crate::text::Buffer;
use crate::{Lock, LockError};

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
    #[inline]
    fn request(self, info: Info<'_>) -> Request<'_> {
        let Self { timeout, reentrant, recovers } = self;
        Request { reentrant, recovers, ..Request::new(timeout, info) }
    }
}

/// What an annotated function takes: the lock of a static, a lock whose name its arguments make, or an array
/// of both.
pub trait Target {
    /// What they are in this process.
    type Handles: Handles;

    /// Looks them up.
    ///
    /// # Errors
    /// The first error of those that there are.
    fn handles(self) -> Result<Self::Handles, LockError>;
}

impl Target for &'static Lock {
    type Handles = Handle;

    #[inline]
    fn handles(self) -> Result<Self::Handles, LockError> {
        self.handle()
    }
}

impl Target for Result<Handle, LockError> {
    type Handles = Handle;

    fn handles(self) -> Result<Self::Handles, LockError> {
        self
    }
}

impl<const N: usize> Target for [Result<Handle, LockError>; N] {
    type Handles = [Handle; N];

    fn handles(self) -> Result<Self::Handles, LockError> {
        several::all_or_first_error(self.map(Target::handles))
    }
}

/// The guard of one lock, or an array of guards.
type Guards<T> = <<T as Target>::Handles as Handles>::Guards;

/// Takes the locks for an annotated function, which `function` names.
///
/// The call site is the annotated function's own place: the expansion calls this with the span of its name. Under
/// `#[track_caller]` it is the caller's.
///
/// # Errors
/// As [`acquire_all`](crate::acquire_all), and the first error of `target`.
#[inline]
#[track_caller]
pub fn enter<T: Target>(
    target: T,
    options: Options,
    function: &'static str,
) -> Result<Guards<T>, LockError> {
    let info = Info::Function(function, Location::caller());
    target.handles()?.take(&options.request(info))
}

/// As [`enter`], where the attribute says what the info is.
///
/// # Errors
/// As [`enter`].
#[inline]
pub fn enter_with<T: Target>(
    target: T,
    options: Options,
    info: fmt::Arguments<'_>,
) -> Result<Guards<T>, LockError> {
    let handles = target.handles()?;
    match info.as_str() {
        Some(text) => handles.take(&options.request(Info::Text(text))),
        None => take_with(handles, options, info),
    }
}

/// Writes the text before anything is taken: an argument's `Display` is the user's code.
#[inline(never)]
fn take_with<H: Handles>(
    handles: H,
    options: Options,
    info: fmt::Arguments<'_>,
) -> Result<H::Guards, LockError> {
    /// A longer text is cut.
    const BYTES: usize = 512;

    let mut text = Buffer::<BYTES>::new();
    let _ = text.write_fmt(info); // what an argument could not write is left out
    handles.take(&options.request(Info::Text(text.as_str())))
}

/// As [`enter`], for an `async fn`.
///
/// # Errors
/// As [`enter`].
#[cfg(feature = "async")]
#[track_caller]
pub fn enter_async<T: Target>(
    target: T,
    options: Options,
    function: &'static str,
) -> impl Future<Output = Result<Guards<T>, LockError>> + Send {
    let info = Info::Function(function, Location::caller());
    let handles = target.handles();
    async move { handles?.take_async(options.request(info)).await }
}

/// As [`enter_async`], where the attribute says what the info is.
///
/// # Errors
/// As [`enter`].
#[cfg(feature = "async")]
pub fn enter_async_with<T: Target>(
    target: T,
    options: Options,
    info: fmt::Arguments<'_>,
) -> impl Future<Output = Result<Guards<T>, LockError>> + Send {
    let info = fmt::format(info);
    let handles = target.handles();
    async move { handles?.take_async(options.request(Info::Text(&info))).await }
}
