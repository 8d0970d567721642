//! Two processes share an analog-to-digital converter on an I2C bus: as they please, then with the attribute on the
//! driver, then with a driver that knows nothing of locks on a shared bus (`lockattr-hal`).
//!
//! ```text
//! cargo run -p lockattr-examples --bin i2c_driver
//! cargo run -p lockattr-examples --bin i2c_driver --features board -- /dev/i2c-1    # a real one
//! ```
//!
//! The driver in `adc.rs` is what a user of lockattr writes. The rest is the stage.

mod adc;
mod device;
#[allow(dead_code)] // this program needs no pids
#[path = "../../../../examples/shared_instrument/worker.rs"]
mod worker;

use std::env;
use std::error::Error;
use std::time::Duration;

use lockattr::Lock;
use lockattr_hal::Shared;

use adc::Adc;
use device::{Bus, value_at};
use worker::Worker;

/// The lock that is in the attribute, too.
static BUS: Lock = Lock::port("example-i2c-1");

const READS: u32 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => demonstrate(),
        [role, bus, input] => play(role, bus, input.parse()?),
        #[cfg(feature = "board")]
        [path] => {
            let mut adc = Adc::new(linux_embedded_hal::I2cdev::new(path)?);
            println!("{}", adc.read(0)?);
            Ok(())
        }
        _ => Err("this example takes no arguments, and with the feature `board` a bus".into()),
    }
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    let bus = format!("lockattr-example-bus-{}", std::process::id());
    device::start(&bus)?;

    println!("Two processes read two inputs of one converter, {READS} times each. Wrong results:");
    let without = wrong_results("unlocked", &bus)?;
    println!("  without a lock                     {without}");
    let with = wrong_results("locked", &bus)?;
    println!("  with the attribute on the driver   {with}");
    let shared = wrong_results("shared", &bus)?;
    println!("  with another's driver, shared      {shared}");

    if without == 0 {
        return Err("nothing went wrong without a lock, so this has shown nothing".into());
    }
    if with + shared > 0 {
        return Err("two processes met under the lock".into());
    }
    Ok(())
}

fn wrong_results(role: &str, bus: &str) -> Result<u32, Box<dyn Error>> {
    let mut workers = [Worker::start(&[role, bus, "1"])?, Worker::start(&[role, bus, "3"])?];
    for worker in &mut workers {
        worker.go()?;
    }
    let mut wrong = 0;
    for worker in &mut workers {
        wrong += worker.answer()?.parse::<u32>()?;
    }
    Ok(wrong)
}

/// A process that reads one input again and again, and says how often the result was another.
fn play(role: &str, bus: &str, input: u8) -> Result<(), Box<dyn Error>> {
    let bus = Bus::open(bus)?;
    worker::ready()?;
    let mut wrong = 0;
    match role {
        "unlocked" => {
            let mut adc = Adc::new(bus);
            for _ in 0..READS {
                wrong += u32::from(adc.read_unlocked(input)? != value_at(input));
            }
        }
        "locked" => {
            let mut adc = Adc::new(bus);
            for _ in 0..READS {
                wrong += u32::from(adc.read(input)? != value_at(input));
            }
        }
        "shared" => {
            let patience = Duration::from_secs(10);
            let mut adc = Adc::new(Shared::new(bus, &BUS).timeout(patience));
            for _ in 0..READS {
                // The driver's write and read are one sequence.
                let _sequence = BUS.with().timeout(patience).reentrant().acquire()?;
                wrong += u32::from(adc.read_unlocked(input)? != value_at(input));
            }
        }
        _ => return Err(format!("no role: {role}").into()),
    }
    println!("{wrong}");
    Ok(())
}
