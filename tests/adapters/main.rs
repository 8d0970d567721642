//! The interfaces of other locks, each written as a thin adapter over the public one: what their users can say, can be
//! said.

#[path = "../support/mod.rs"]
mod support;

mod filelock;
mod k3portlock;
mod resourcelock;

use std::time::Duration;

#[test]
fn role() {
    support::play(&[("hold", support::hold)]);
}

/// A timeout as Python has it, in seconds; negative ones and none wait for ever.
fn seconds(timeout: impl Into<Option<f64>>) -> Duration {
    let seconds = timeout.into().unwrap_or(-1.0);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
