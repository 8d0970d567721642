#![doc = include_str!("../README.md")]

#[cfg(feature = "macros")]
pub use lockattr_macros::interprocess_lock;
#[cfg(feature = "async")]
pub use lockattr_runtime::acquire_all_async;
#[cfg(feature = "tracing")]
pub use lockattr_runtime::events;
pub use lockattr_runtime::{
    acquire_all, all, Acquire, Backend, Cancel, HeldHere, Holder, KnownBy, Lock, LockError,
    LockGuard, Locks, NameError, Standing, SystemError, Tenure,
};

/// What the expansion of the attribute calls; no part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use lockattr_runtime::__private::*;
}
