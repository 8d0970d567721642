//! A sequence on two pins that is skipped where another process has them.
//!
//! ```text
//! cargo run -p lockattr-examples --bin gpio_sequence
//! ```

#[allow(dead_code)] // this program needs no pids
#[path = "../../../examples/shared_instrument/worker.rs"]
mod worker;

use std::env;
use std::error::Error;
use std::io;

use embedded_hal::digital::{ErrorType, OutputPin};
use lockattr::{LockError, interprocess_lock};

use worker::Worker;

/// What became of a reset.
#[derive(Debug, PartialEq, Eq)]
enum Reset {
    Done,
    /// Another process is busy with the board, which is not to be reset under its hands.
    Skipped(LockError),
}

/// Resets the board into its boot loader.
#[interprocess_lock(["example-gpio-4", "example-gpio-17"], timeout = "0s", or_else = Reset::Skipped)]
fn reset<P: OutputPin>(boot: &mut P, reset: &mut P) -> Reset {
    for step in [boot.set_low(), reset.set_low(), reset.set_high(), boot.set_high()] {
        step.expect("simulated pins do not fail");
    }
    Reset::Done
}

/// What the other process does with the board, until it is told to end.
#[interprocess_lock("example-gpio-17", info = "flashes the board")]
fn flash() -> io::Result<()> {
    worker::ready()
}

/// A pin that writes down how it was set.
#[derive(Default)]
struct Pin(Vec<bool>);

impl ErrorType for Pin {
    type Error = std::convert::Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        self.0.push(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        self.0.push(true);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("flash") {
        flash()?;
        println!("flashed");
        return Ok(());
    }

    let (mut boot, mut run) = (Pin::default(), Pin::default());
    let mut other = Worker::start(&["flash"])?;
    match reset(&mut boot, &mut run) {
        Reset::Skipped(why) => println!("skipped: {why}"),
        Reset::Done => return Err("the board was reset while it was flashed".into()),
    }
    assert!(boot.0.is_empty() && run.0.is_empty(), "no pin was touched");

    other.go()?;
    println!("the other process: {}", other.answer()?);
    assert_eq!(reset(&mut boot, &mut run), Reset::Done);
    assert_eq!((boot.0, run.0), (vec![false, true], vec![false, true]));
    println!("done");
    Ok(())
}
