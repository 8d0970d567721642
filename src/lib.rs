//! One line on a function, and no other process on the machine is in it at the same time.
//! For hardware that several programs share: an I2C bus, a serial instrument, a flash programmer.
//!
//! ```
//! use lockattr::interprocess_lock;
//!
//! #[interprocess_lock("i2c-1", timeout = "2s")]
//! fn read_temperature() -> std::io::Result<f32> {
//!     // No other process talks on the bus here.
//!     Ok(21.5)
//! }
//! # assert_eq!(read_temperature()?, 21.5);
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! The function takes the lock before its body runs, and gives it back on every way out: `return`, `?`, a panic, a
//! dropped future, a killed process. Waiters are served first come, first served. If others hold the lock until the
//! timeout is over, the body does not run, and the function returns a [`LockError`] as its own error:
//!
//! ```text
//! lock "i2c-1": timed out after 2.0 s; held for 3.4 s by pid 812 (sensord) in sensord::bme280::read (src/bme280.rs:42)
//! ```
//!
//! [`macro@interprocess_lock`] has the attribute's options: names from arguments, several locks, a whole `impl` block, what to
//! do when the last holder died. Its function's error type needs `From<LockError>`, which `std::io::Error`,
//! `anyhow::Error` and `Box<dyn Error + Send + Sync>` have.
//!
//! # By hand
//!
//! The attribute calls nothing that you cannot call:
//!
//! ```
//! use std::time::Duration;
//! use lockattr::{Lock, LockError};
//!
//! static BUS: Lock = Lock::port("i2c-2");
//!
//! fn scan() -> Result<(), LockError> {
//!     let _guard = BUS.acquire(Duration::from_secs(2))?;
//!     // The lock is given back when the guard is dropped.
//!     Ok(())
//! }
//!
//! fn show_holder() -> Result<(), LockError> {
//!     match BUS.holder()? {
//!         Some(holder) => println!("{holder}"),
//!         None => println!("free"),
//!     }
//!     Ok(())
//! }
//! # scan().and_then(|()| show_holder()).unwrap();
//! ```
//!
//! | to | there is |
//! | --- | --- |
//! | make a lock | [`Lock::port`], [`Lock::semaphore`]; [`Lock::open`] for names that are made at run time |
//! | take it | [`Lock::acquire`], [`Lock::try_acquire`], `Lock::acquire_async` |
//! | take several | [`all`], [`acquire_all`] |
//! | say more about it | [`Lock::with`]: a text for others, reentrant, cancelled by a [`Cancel`] |
//! | look without taking | [`Lock::is_locked`], [`Lock::holder`], [`Lock::last_holder`], [`Lock::standing`] |
//! | tell others how far it is | [`LockGuard::set_info`] |
//! | know of a death | [`LockGuard::recovered_from`], [`LockGuard::abandon_on_panic`] |
//!
//! # Features
//!
//! - `macros` (on by default): the attribute. Without it syn is not built.
//! - `async`: the attribute on `async fn`, and `Lock::acquire_async`, on any executor.
//! - `tracing`: waits, grants, releases and timeouts as `tracing` events (the module `events`). `log`: the same as records
//!   of the crate `log`.
//!
//! # Which backend
//!
//! All who share a lock must use the same one. [`Backend::Port`], the default, is a unix socket: the kernel frees it when
//! its holder dies, every user may take part, and k3portlock's programs share it. [`Backend::Semaphore`] costs no
//! system call where nobody else wants it, and resourcelock's programs share it.
//!
//! The guide, in the repository under `docs/guide/`, has the rest: deployment, migration, and what is guaranteed and
//! what is not.

#![cfg_attr(docsrs, feature(doc_cfg))]

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
