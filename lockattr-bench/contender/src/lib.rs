//! What each lock is to do in lockattr-bench, and the process that does it.
//!
//! A program implements [`Contender`] for a lock and calls [`serve`]. It then obeys [`Order`]s, which come
//! line by line on its standard input, and answers each by a line: `ok …` or `error …`. `peers/peers.py` does the
//! same in Python.

// Nanoseconds and counts become `f64` for ratios: 53 bits of them are enough.
#![allow(clippy::cast_precision_loss, clippy::missing_errors_doc)]

pub mod clock;
mod contention;
mod crowd;
mod histogram;
mod order;
mod threads;
mod worker;

pub use contention::{Contended, Contention};
pub use histogram::Histogram;
pub use order::Order;
pub use worker::serve;

use std::time::Duration;

/// An error of whatever lock is measured.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What the lock or the line protocol returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A lock that is measured.
pub trait Contender: Sized {
    /// A lock of this name. Those of one name, in any process, exclude each other.
    ///
    /// The name has no `/`. A lock that is a file is one of this name in [`std::env::temp_dir`], which the
    /// bench sets to a folder of its own.
    fn open(name: &str) -> Result<Self>;

    /// Acquires, calls `body`, and releases. False, without a call, if the lock was not had within `timeout`.
    ///
    /// A lock that knows no timeout waits for as long as it takes.
    fn hold(&mut self, timeout: Duration, body: impl FnOnce()) -> Result<bool>;
}
