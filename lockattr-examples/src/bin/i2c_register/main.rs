//! Two processes read, change and write a register of a chip on the kernel's I2C bus: as they please, then with the attribute
//! on the driver, by a lock of each kind.
//!
//! ```text
//! modprobe i2c-dev && modprobe i2c-stub chip_addr=0x48
//! cargo run -p lockattr-examples --features board --bin i2c_register -- /dev/i2c-0
//! ```
//!
//! The chip is simulated by the kernel's module i2c-stub; all else is as on a board. `ci/i2c-bus` runs this in an emulator,
//! where no module has to be loaded into the machine's own kernel.

mod chip;
#[allow(dead_code)] // this program needs no pids
#[path = "../../../../examples/shared_instrument/worker.rs"]
mod worker;

use std::path::Path;
use std::{env, fs};

use chip::{ADDRESS, Chip, Result};
use worker::Worker;

const ADDS: u16 = 5_000;
const PROCESSES: u16 = 2;

/// A name, and the call by which 1 is added.
type Way = (&'static str, fn(&mut Chip) -> Result);

const WITHOUT: Way = ("unlocked", Chip::add_unlocked);
const WITH: [Way; 4] = [
    ("device", Chip::add_by_device),
    ("port", Chip::add_by_port),
    ("semaphore", Chip::add_by_semaphore),
    ("tcp", Chip::add_by_tcp),
];

fn main() -> Result {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [path] => demonstrate(path),
        [role, path] => play(role, path),
        _ => Err("this example takes a bus of i2c-stub, as /dev/i2c-0".into()),
    }
}

fn demonstrate(path: &str) -> Result {
    // On a real bus a real chip may have that address.
    if !is_simulated(path) {
        return Err(
            format!("{path} is no bus of i2c-stub: this example writes to its chips").into()
        );
    }
    println!(
        "{PROCESSES} processes add 1 to a register of the chip {ADDRESS:#x} on {path}, {ADDS} times each. Additions lost:"
    );
    let without = lost(WITHOUT.0, path)?;
    println!("  without a lock   {without}");
    let mut with = 0;
    for (role, _) in WITH {
        let lost = lost(role, path)?;
        println!("  by {role:<13} {lost}");
        with += lost;
    }
    if without == 0 {
        return Err("nothing was lost without a lock, so this has shown nothing".into());
    }
    if with > 0 {
        return Err("two processes met under the lock".into());
    }
    Ok(())
}

fn is_simulated(path: &str) -> bool {
    let Some(bus) = Path::new(path).file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    fs::read_to_string(format!("/sys/class/i2c-dev/{bus}/name"))
        .is_ok_and(|name| name.trim_end() == "SMBus stub driver")
}

/// How many of all additions the register does not show afterwards.
fn lost(role: &str, path: &str) -> Result<u16> {
    let mut chip = Chip::open(path)?;
    chip.set_count(0)?;
    let mut workers: Vec<_> =
        (0..PROCESSES).map(|_| Worker::start(&[role, path])).collect::<std::io::Result<_>>()?;
    for worker in &mut workers {
        worker.go()?;
    }
    for worker in &mut workers {
        match worker.answer()?.as_str() {
            "done" => {}
            answer => return Err(answer.into()),
        }
    }
    Ok(PROCESSES * ADDS - chip.count()?)
}

/// A process that adds in one way.
fn play(role: &str, path: &str) -> Result {
    let mut ways = WITH.into_iter().chain([WITHOUT]);
    let (_, add) = ways.find(|(name, _)| *name == role).ok_or("no such role")?;
    let mut chip = Chip::open(path)?;
    worker::ready()?;
    for _ in 0..ADDS {
        add(&mut chip)?;
    }
    println!("done");
    Ok(())
}
