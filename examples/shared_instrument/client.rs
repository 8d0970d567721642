//! A client: one process that has the meter's line open, as a daemon or a tool would.

use std::error::Error;
use std::time::Duration;

use crate::tally::Tally;
use crate::voltmeter::Voltmeter;
use crate::worker;

/// For how long every client queries.
pub(crate) const QUERYING_TIME: Duration = Duration::from_millis(2500);

/// Plays a client, and prints one line: its tally, a result, or what went wrong.
pub(crate) fn run(role: &str, tty: &str, channel: &str) -> Result<(), Box<dyn Error>> {
    let channel: u8 = channel.parse()?;
    let mut meter = Voltmeter::open(tty)?;
    // A client has other work between two queries, and each one its own: without it, they would go
    // in step and run into each other every single time, or never.
    let pause = Duration::from_millis(4 + u64::from(channel));
    worker::ready()?;
    let outcome = match role {
        "unlocked" => Tally::take(QUERYING_TIME, pause, || meter.voltage_unlocked(channel))
            .map(|tally| tally.to_string()),
        "locked" => Tally::take(QUERYING_TIME, pause, || meter.voltage(channel))
            .map(|tally| tally.to_string()),
        "measure" => meter.voltage(channel).map(|volts| format!("{volts} V")),
        "calibrate" => meter.calibrate().map(|()| "calibrated".to_owned()),
        _ => return Err(format!("no role of a client: {role}").into()),
    };
    println!("{}", outcome.unwrap_or_else(|error| error.to_string()));
    Ok(())
}
