//! Waits, counted by their length.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How many times each length of time was seen.
///
/// Lengths are kept to 3 percent: 32 steps for each power of two, as in HDR histograms. So the counts of many
/// processes add up without a loss, however long each of them ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: BTreeMap<u64, u64>,
}

const STEPS: u64 = 32;

impl Histogram {
    /// Counts one of `nanoseconds`.
    pub fn add(&mut self, nanoseconds: u64) {
        *self.counts.entry(step(nanoseconds)).or_default() += 1;
    }

    /// Counts all of `other` too.
    pub fn merge(&mut self, other: &Self) {
        for (step, count) in &other.counts {
            *self.counts.entry(*step).or_default() += count;
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Whether none was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The length, in nanoseconds, that `share` (0 to 1) of those counted do not exceed; none if none was counted.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = share * self.len() as f64;
        let mut seen = 0;
        let mut last = None;
        for (step, count) in &self.counts {
            seen += count;
            last = Some(longest_of(*step));
            if seen as f64 >= wanted {
                break;
            }
        }
        last
    }
}

/// Lengths under 64 ns are steps of their own; above, a step is the five bits after the first.
fn step(nanoseconds: u64) -> u64 {
    let bits = u64::from(u64::BITS - nanoseconds.leading_zeros());
    let shift = bits.saturating_sub(6);
    shift * STEPS + (nanoseconds >> shift)
}

fn longest_of(step: u64) -> u64 {
    let shift = (step / STEPS).saturating_sub(1);
    ((step - shift * STEPS + 1) << shift) - 1
}

/// `STEP:COUNT`, separated by spaces.
impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (step, count)) in self.counts.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{step}:{count}")?;
        }
        Ok(())
    }
}

impl FromStr for Histogram {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut counts = BTreeMap::new();
        for pair in text.split_whitespace() {
            let (step, count) = pair.split_once(':').ok_or("a step without a count")?;
            counts.insert(step.parse()?, count.parse()?);
        }
        Ok(Self { counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_kept_to_three_percent() {
        for length in (0..200).chain([999, 1_000, 12_345, 1_000_000, 98_765_432_100]) {
            let longest = longest_of(step(length));
            assert!(longest >= length, "{length}: {longest}");
            assert!((longest - length) as f64 <= 0.032 * length as f64, "{length}: {longest}");
        }
    }

    #[test]
    fn steps_rise_without_gaps() {
        let mut last = step(0);
        for length in 1..10_000 {
            let this = step(length);
            assert!(this == last || this == last + 1, "{length}: {last} to {this}");
            last = this;
        }
    }

    #[test]
    fn quantiles_of_two_processes_are_those_of_all_their_waits() {
        let (mut busy, mut rare) = (Histogram::default(), Histogram::default());
        (0..99).for_each(|_| busy.add(10));
        rare.add(50);
        let mut all: Histogram = busy.to_string().parse().unwrap();
        all.merge(&rare);
        assert_eq!(all.len(), 100);
        assert_eq!(all.quantile(0.99), Some(10));
        assert_eq!(all.quantile(1.0), Some(50));
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
