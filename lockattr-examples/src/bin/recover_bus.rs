//! A process is killed in the middle of a transfer. The next one learns of it, and resets the bus first.
//!
//! ```text
//! cargo run -p lockattr-examples --bin recover_bus
//! ```

#[allow(dead_code)] // this program needs no pids
#[path = "../../../examples/shared_instrument/worker.rs"]
mod worker;

use std::env;
use std::error::Error;
use std::io;

use lockattr::{Holder, interprocess_lock};

use worker::Worker;

#[derive(Default)]
struct Bus {
    resets: u32,
}

impl Bus {
    /// What is killed.
    #[interprocess_lock("example-recover", on_recover = |dead| self.reset(dead))]
    fn begin_a_transfer(&mut self) -> io::Result<()> {
        // This process never gets further.
        worker::ready()
    }

    #[interprocess_lock("example-recover", on_recover = |dead| self.reset(dead))]
    fn transfer(&mut self) -> io::Result<u8> {
        Ok(7)
    }

    /// Nine clocks on SCL make every device on an I2C bus let go of SDA.
    fn reset(&mut self, dead: &Holder) {
        println!("resetting the bus: {dead}");
        self.resets += 1;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut bus = Bus::default();
    if env::args().nth(1).as_deref() == Some("begin") {
        return Ok(bus.begin_a_transfer()?);
    }

    let worker = Worker::start(&["begin"])?;
    println!("another process is in the middle of a transfer, and is killed");
    drop(worker); // SIGKILL

    assert_eq!(bus.transfer()?, 7);
    assert_eq!(bus.resets, 1, "the bus was reset before the transfer");
    assert_eq!(bus.transfer()?, 7);
    assert_eq!(bus.resets, 1, "and once only");
    println!("two transfers, one reset");
    Ok(())
}
