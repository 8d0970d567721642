//! Ctrl-C ends a wait for a lock, and the program goes on to its own end.
//!
//! ```text
//! cargo run -p lockattr-examples --bin ctrl_c
//! ```

#[path = "../../../examples/shared_instrument/worker.rs"]
mod worker;

use std::env;
use std::error::Error;
use std::thread;
use std::time::Duration;

use lockattr::{Cancel, Lock, LockError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use worker::Worker;

static BUS: Lock = Lock::port("example-ctrl-c");

/// A program that waits for the lock for as long as it takes, or until Ctrl-C.
fn wait() -> Result<(), Box<dyn Error>> {
    let cancel = Cancel::new();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let on_signal = cancel.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            on_signal.cancel();
        }
    });

    worker::ready()?;
    match BUS.with().timeout(Duration::MAX).cancelled_by(&cancel).acquire() {
        Ok(_guard) => println!("worked"),
        Err(LockError::Cancelled { .. }) => println!("stopped by the user, in good order"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("wait") {
        return wait();
    }

    let _held = BUS.try_acquire()?;
    let mut waiter = Worker::start(&["wait"])?;
    waiter.go()?;
    // What a terminal does at Ctrl-C.
    kill(Pid::from_raw(waiter.pid().try_into()?), Signal::SIGINT)?;
    let answer = waiter.answer()?;
    println!("the other process: {answer}");
    assert_eq!(answer, "stopped by the user, in good order");
    Ok(())
}
