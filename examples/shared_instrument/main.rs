//! Four processes share one serial voltmeter: first as they please, then under a lock.
//!
//! ```text
//! cargo run --release --example shared_instrument
//! ```
//!
//! The driver in `voltmeter.rs` is what a user of lockattr writes. The rest is the stage: the
//! meter on a pseudo-terminal (`instrument.rs`), the processes that query it (`client.rs`), and
//! this file, which starts them and counts what came back. It ends with a failure if a reply was
//! garbled or lost under the lock, and also if none was without it, for then nothing was shown.

mod client;
mod instrument;
mod tally;
mod voltmeter;
mod worker;

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use crate::instrument::Instrument;
use crate::tally::Tally;
use crate::worker::Worker;

/// A client for each of the meter's channels: a reply that names another one is somebody else's.
const CHANNELS: [&str; 4] = ["1", "2", "3", "4"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => demonstrate(),
        [role, tty, channel] => client::run(role, tty, channel),
        _ => Err("this example takes no arguments".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shared_instrument: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    println!("Four processes query one serial voltmeter.\n");
    println!(
        "{:16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>14}",
        "", "queries", "good", "garbled", "lost", "good/s", "slowest query"
    );
    let without = query_together("unlocked")?;
    print_row("without the lock", &without)?;
    let with = query_together("locked")?;
    print_row("with the lock", &with)?;

    println!("\nOne of them calibrates the meter and takes its time. Another one is told:\n");
    println!("{}\n", measure_during_calibration()?);

    if with.bad() > 0 {
        return Err(format!("{} replies were garbled or lost under the lock", with.bad()).into());
    }
    if with.good == 0 {
        return Err("the meter never replied".into());
    }
    if without.bad() == 0 {
        return Err("nothing was garbled without the lock either, so this has shown nothing".into());
    }
    Ok(())
}

/// Has a client on each channel query the meter, all at the same time.
///
/// The meter is a new one each time, so that nothing of one run is left on the line for the next.
fn query_together(role: &str) -> Result<Tally, Box<dyn Error>> {
    let meter = Instrument::start()?;
    // One after the other: serialport reads its settings back, and another client that is just
    // opening the line would change them under it.
    let mut clients = CHANNELS
        .iter()
        .map(|channel| Worker::start(&[role, meter.tty(), channel]))
        .collect::<io::Result<Vec<_>>>()?;
    meter.make_reads_return()?;
    for client in &mut clients {
        client.go()?;
    }
    let mut tallies = Vec::new();
    for client in &mut clients {
        tallies.push(client.answer()?.parse::<Tally>()?);
    }
    drop(clients);
    meter.stop()?;
    Ok(tallies.into_iter().sum())
}

/// Has one client measure while another has the meter calibrate itself, and returns what the first
/// one says. It must name the other.
fn measure_during_calibration() -> Result<String, Box<dyn Error>> {
    let meter = Instrument::start()?;
    let mut calibrating = Worker::start(&["calibrate", meter.tty(), "1"])?;
    let mut measuring = Worker::start(&["measure", meter.tty(), "2"])?;
    meter.make_reads_return()?;

    calibrating.go()?;
    if meter.wait_for_calibration(Duration::from_secs(5)).is_err() {
        return Err(format!("the meter was not calibrated: {}", calibrating.answer()?).into());
    }
    measuring.go()?;
    let told = measuring.answer()?;
    for part in [format!("pid {} ", calibrating.pid()), "calibrate (".to_owned()] {
        if !told.contains(&part) {
            return Err(format!("expected a timeout that says {part:?}, but got: {told}").into());
        }
    }
    match calibrating.answer()?.as_str() {
        "calibrated" => {}
        other => return Err(format!("the calibration failed: {other}").into()),
    }
    drop((calibrating, measuring));
    meter.stop()?;
    Ok(told)
}

fn print_row(name: &str, tally: &Tally) -> io::Result<()> {
    let Tally { good, garbled, lost, slowest } = tally;
    let queries = tally.queries();
    let rate = f64::from(*good) / client::QUERYING_TIME.as_secs_f64();
    let slowest = slowest.as_secs_f64() * 1e3;
    println!(
        "{name:16} {queries:>8} {good:>8} {garbled:>8} {lost:>8} {rate:>8.0} {slowest:>11.1} ms"
    );
    // A row takes seconds to make: show it even where standard output is no terminal.
    io::stdout().flush()
}
