//! A tokio daemon and a command-line tool share a power supply.
//!
//! ```text
//! cargo run -p lockattr-examples --bin daemon_and_tool
//! ```

#[allow(dead_code)] // this program needs no pids
#[path = "../../../examples/shared_instrument/worker.rs"]
mod worker;

use std::env;
use std::error::Error;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use lockattr::interprocess_lock;
use lockattr_examples::Fragile;

use worker::Worker;

const SUPPLY: &str = "example-supply";

/// The daemon's function. The lock is held across the `await`, and no thread is blocked.
#[interprocess_lock(SUPPLY, timeout = "10s")]
async fn sample(supply: &Fragile) -> io::Result<()> {
    let _inside = supply.enter()?;
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(())
}

/// The tool's function.
#[interprocess_lock(SUPPLY, timeout = "10s", info = "calibrates the supply")]
fn calibrate(supply: &Fragile) -> io::Result<()> {
    let _inside = supply.enter()?;
    sleep(Duration::from_millis(5));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => demonstrate(),
        ["daemon", supply] => daemon(&Fragile::new(supply)),
        ["tool", supply] => tool(&Fragile::new(supply)),
        _ => Err("this example takes no arguments".into()),
    }
}

#[tokio::main]
async fn daemon(supply: &Fragile) -> Result<(), Box<dyn Error>> {
    worker::ready()?;
    for _ in 0..100 {
        sample(supply).await?;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("took 100 samples");
    Ok(())
}

fn tool(supply: &Fragile) -> Result<(), Box<dyn Error>> {
    worker::ready()?;
    for _ in 0..20 {
        calibrate(supply)?;
    }
    println!("calibrated 20 times");
    Ok(())
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    let supply = format!("supply-{}", std::process::id());
    let mut workers = [Worker::start(&["daemon", &supply])?, Worker::start(&["tool", &supply])?];
    for worker in &mut workers {
        worker.go()?;
    }
    // A collision ends a process, which then has no answer.
    for worker in &mut workers {
        println!("{}", worker.answer()?);
    }
    println!("they never met");
    Ok(())
}
