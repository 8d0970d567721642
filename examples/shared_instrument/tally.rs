//! What became of a number of queries.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use crate::voltmeter::MeterError;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) good: u32,
    pub(crate) garbled: u32,
    pub(crate) lost: u32,
    /// How long the slowest query took, its wait for the lock included.
    pub(crate) slowest: Duration,
}

impl Tally {
    /// Queries the meter over and over for a while, with a pause between queries.
    ///
    /// # Errors
    /// Any that is neither a garbled nor a lost reply.
    pub(crate) fn take(
        length: Duration,
        pause: Duration,
        mut query: impl FnMut() -> Result<f64, MeterError>,
    ) -> Result<Self, MeterError> {
        let mut tally = Self::default();
        let end = Instant::now() + length;
        loop {
            let start = Instant::now();
            if start >= end {
                return Ok(tally);
            }
            match query() {
                Ok(_volts) => tally.good += 1,
                Err(MeterError::Garbled(_)) => tally.garbled += 1,
                Err(MeterError::NoReply) => tally.lost += 1,
                Err(error) => return Err(error),
            }
            tally.slowest = tally.slowest.max(start.elapsed());
            thread::sleep(pause);
        }
    }

    pub(crate) fn bad(&self) -> u32 {
        self.garbled + self.lost
    }

    pub(crate) fn queries(&self) -> u32 {
        self.good + self.bad()
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            good: sum.good + tally.good,
            garbled: sum.garbled + tally.garbled,
            lost: sum.lost + tally.lost,
            slowest: sum.slowest.max(tally.slowest),
        })
    }
}

/// As a client sends it to the process that started it.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { good, garbled, lost, slowest } = self;
        write!(f, "{good} {garbled} {lost} {}", slowest.as_micros())
    }
}

impl FromStr for Tally {
    type Err = NoTally;

    fn from_str(line: &str) -> Result<Self, NoTally> {
        let numbers: Result<Vec<u32>, _> = line.split(' ').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[good, garbled, lost, slowest]) => {
                Ok(Self { good, garbled, lost, slowest: Duration::from_micros(slowest.into()) })
            }
            _ => Err(NoTally(line.to_owned())),
        }
    }
}

/// A client answered with something else: what it says about itself.
#[derive(Debug)]
pub(crate) struct NoTally(String);

impl fmt::Display for NoTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a client failed: {}", self.0)
    }
}

impl std::error::Error for NoTally {}
