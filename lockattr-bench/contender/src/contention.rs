//! One process of several that take a lock over and over.

use std::fmt;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use crate::{clock, Contender, Error, Histogram, Result};

/// An acquire may take this long. A lock that knows no timeout may exceed it, which counts as one.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);

/// When a process begins, and what it does with the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contention {
    /// The time of [`clock::now`] at which all processes begin.
    pub start: u64,
    /// For so long they contend before anything counts. Of many on few processors those that run first find
    /// nobody beside them, and would have thousands of turns more than the contest gives them.
    pub settling: Duration,
    /// How long it counts, once they have settled. After that no acquire begins.
    pub length: Duration,
    /// How long the process [spins](clock::spin) while it holds.
    pub hold: Duration,
    /// How long it sleeps between a release and the next acquire.
    pub pause: Duration,
}

/// What one process got of the lock. Times are nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contended {
    /// Acquires that succeeded while it counted.
    pub acquisitions: u64,
    /// Acquires that timed out, or took longer than a second if the lock knows no timeout.
    pub timeouts: u64,
    /// Time on processors, without what it spun.
    pub processor: u64,
    /// The longest wait.
    pub longest: u64,
    /// All waits, also those that ended in a timeout or after the end.
    pub waits: Histogram,
}

impl Contention {
    pub(crate) fn run(&self, contender: &mut impl Contender) -> Result<Contended> {
        let mut got = Contended::default();
        clock::sleep_until(self.start);
        let settled = self.start + u64::try_from(self.settling.as_nanos())?;
        let end = settled + u64::try_from(self.length.as_nanos())?;
        let mut not_counted = 0;
        loop {
            let asked = clock::now();
            if asked >= end {
                break;
            }
            if asked < settled {
                not_counted = clock::processor_time();
            }
            let (mut entered, mut spun) = (0, 0);
            let held = contender.hold(TIMEOUT, || {
                entered = clock::now();
                // After the end the others get their turns at once.
                if entered < end {
                    spun = clock::spin(self.hold);
                }
            })?;
            let ended = if held { entered } else { clock::now() };
            not_counted += spun;
            if ended >= settled {
                let waited = ended - asked;
                got.acquisitions += u64::from(held && entered < end);
                got.timeouts += u64::from(!held || u128::from(waited) > TIMEOUT.as_nanos());
                got.longest = got.longest.max(waited);
                got.waits.add(waited);
            }
            if !self.pause.is_zero() {
                thread::sleep(self.pause);
            }
        }
        got.processor = clock::processor_time().saturating_sub(not_counted);
        Ok(got)
    }
}

impl fmt::Display for Contended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acquisitions, timeouts, processor, longest, waits } = self;
        write!(f, "{acquisitions} {timeouts} {processor} {longest} {waits}")
    }
}

impl FromStr for Contended {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let mut words = line.splitn(5, ' ');
        let mut number = || words.next().unwrap_or_default().parse::<u64>();
        Ok(Self {
            acquisitions: number()?,
            timeouts: number()?,
            processor: number()?,
            longest: number()?,
            waits: words.next().unwrap_or_default().parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_got_is_understood_as_it_was_said() {
        let mut got = Contended {
            acquisitions: 2,
            timeouts: 1,
            processor: 3,
            longest: 4,
            ..Contended::default()
        };
        assert_eq!(got.to_string().parse::<Contended>().unwrap(), got);
        got.waits.add(77);
        assert_eq!(got.to_string().parse::<Contended>().unwrap(), got);
    }
}
