//! The gate of all shared state: on unixes it keeps a fork out, and here other threads alone.

use std::cell::{Cell, UnsafeCell};
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::errno;

/// Shows that its owner holds the gate.
#[derive(Debug)]
pub(crate) struct Gate(());

static GATE: Mutex<Gate> = Mutex::new(Gate(()));

thread_local! {
    /// Whether this thread holds the gate.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Takes the gate.
///
/// Keep it for a few system calls that do not block. No code of the user runs under it.
///
/// # Errors
/// `EDEADLK` if this thread holds it already.
pub(crate) fn gate() -> io::Result<Guard> {
    if IS_INSIDE.with(|inside| inside.replace(true)) {
        return Err(io::Error::from_raw_os_error(errno::EDEADLK));
    }
    Ok(Guard(GATE.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Holds the gate.
#[derive(Debug)]
pub(crate) struct Guard(MutexGuard<'static, Gate>);

impl Deref for Guard {
    type Target = Gate;

    fn deref(&self) -> &Gate {
        &self.0
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Gate {
        &mut self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        IS_INSIDE.with(|inside| inside.set(false));
    }
}

/// What is only reached under the gate: like a mutex, but without a lock of its own.
#[derive(Debug, Default)]
pub(crate) struct Gated<T>(UnsafeCell<T>);

// SAFETY: the cell is reached through `Gate` only, by one thread at a time.
unsafe impl<T: Send> Sync for Gated<T> {}

impl<T> Gated<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    #[allow(clippy::mut_from_ref)] // the gate is lent out for as long as the value is
    pub(crate) fn get<'a>(&'a self, _gate: &'a mut Gate) -> &'a mut T {
        // SAFETY: a process has one `Gate`, in a mutex, which is lent out for as long as the value is: so nobody
        // else is in this value or in any other.
        unsafe { &mut *self.0.get() }
    }
}
