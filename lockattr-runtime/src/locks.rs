//! One lock or several, in the forms that callers have them in.

use std::borrow::Borrow;

use crate::error::LockError;
use crate::guard::LockGuard;
use crate::lock::Lock;
use crate::several::{self, Handle, Handles};

/// What can be taken in one call: a [`Lock`], or several of them. It cannot be implemented outside of this
/// crate.
///
/// | locks | guards |
/// | --- | --- |
/// | `&Lock` | [`LockGuard`] |
/// | an array, or a reference to one | `[LockGuard; N]` |
/// | a slice; a `Vec`, or a reference to one | `Vec<LockGuard>` |
///
/// The elements may be locks, references to locks, or locks in a `Box`, an `Rc` or an `Arc`. Collect an iterator
/// into a `Vec`.
///
/// ```
/// # use std::time::Duration;
/// use lockattr::{all, Lock, LockError, Locks};
///
/// /// Runs `work` under one lock, or under several.
/// fn alone<L: Locks, R>(locks: L, work: impl FnOnce() -> R) -> Result<R, LockError> {
///     let _guards = all(locks).timeout(Duration::from_secs(2)).acquire()?;
///     Ok(work())
/// }
///
/// static BUS: Lock = Lock::port("doc-locks-i2c");
/// static RESET: Lock = Lock::port("doc-locks-gpio");
///
/// alone(&BUS, || println!("reads"))?;
/// alone([&BUS, &RESET], || println!("resets"))?;
/// # Ok::<_, LockError>(())
/// ```
pub trait Locks: sealed::Sealed {
    /// One guard for each lock, in the order of the locks.
    type Guards;

    #[doc(hidden)]
    type Handles: Handles<Guards = Self::Guards>;

    #[doc(hidden)]
    fn handles(self) -> Result<Self::Handles, LockError>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! locks {
    ($([$($parameters:tt)*] $locks:ty => $guards:ty, $handles:ty, $look:expr;)*) => {$(
        impl<$($parameters)*> sealed::Sealed for $locks {}

        impl<$($parameters)*> Locks for $locks {
            type Guards = $guards;
            type Handles = $handles;

            #[inline]
            fn handles(self) -> Result<Self::Handles, LockError> {
                $look(self)
            }
        }
    )*};
}

locks! {
    [] &Lock => LockGuard, Handle, |lock: &Lock| lock.handle();
    [T: Borrow<Lock>, const N: usize] [T; N] => [LockGuard; N], [Handle; N], |locks| of_array(&locks);
    [T: Borrow<Lock>, const N: usize] &[T; N] => [LockGuard; N], [Handle; N], of_array;
    [T: Borrow<Lock>] &[T] => Vec<LockGuard>, Vec<Handle>, of_slice;
    [T: Borrow<Lock>] Vec<T> => Vec<LockGuard>, Vec<Handle>, |locks: Vec<T>| of_slice(&locks);
    [T: Borrow<Lock>] &Vec<T> => Vec<LockGuard>, Vec<Handle>, |locks: &Vec<T>| of_slice(locks);
}

fn of_array<T: Borrow<Lock>, const N: usize>(locks: &[T; N]) -> Result<[Handle; N], LockError> {
    several::all_or_first_error(locks.each_ref().map(|lock| lock.borrow().handle()))
}

fn of_slice<T: Borrow<Lock>>(locks: &[T]) -> Result<Vec<Handle>, LockError> {
    locks.iter().map(|lock| lock.borrow().handle()).collect()
}
