//! What a program is told beside results, by the features `tracing` and `log`. Without them these functions do
//! nothing, and [`Waiting`] is nothing: `silent.rs`.
//!
//! A subscriber is the user's code. So nothing is emitted under the gate, nor while a lock is being taken or given
//! back:
//! - What is found in between is kept for the end of the call ([`found`]).
//! - A grant is told when the guards exist: a panic of the subscriber gives the locks back. Of several locks it is
//!   told when all are taken. A release is told when the lock is gone.
//! - A wait is told between two looks of the waiter, who has nothing in hand then ([`waiting`]).
//! - Each event is emitted with the thread marked ([`emit`]): locks that the subscriber takes emit nothing.

#[cfg(feature = "tracing")]
mod emit;
#[cfg(feature = "tracing")]
mod found;
#[cfg(feature = "tracing")]
mod outcome;
#[cfg(not(feature = "tracing"))]
mod silent;
#[cfg(feature = "tracing")]
mod waiting;

#[cfg(feature = "tracing")]
pub(crate) use emit::is_anything_heard as is_heard;
#[cfg(feature = "tracing")]
pub(crate) use found::{
    asks_for_the_pid, not_respected, record_unavailable, surplus_units, torn_away,
};
#[cfg(feature = "tracing")]
pub(crate) use outcome::{granted, not_granted, outcome, released, silently};
#[cfg(not(feature = "tracing"))]
pub(crate) use silent::*;
#[cfg(feature = "tracing")]
pub(crate) use waiting::{is_telling_of, Waiting};
