//! From a release to the moment at which a sleeping waiter has the lock.

use std::thread;
use std::time::Duration;

use lockattr_bench_contender::{Order, Result};

use crate::bench::{Bench, Row};
use crate::field::{self, Parts};
use crate::stats::Spread;
use crate::worker::Worker;

/// Nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Wake {
    /// From the begin of the release until the waiter has the lock.
    pub(crate) latency: Spread,
    /// How long the release takes its caller, in the middle.
    pub(crate) release: Spread,
}

/// A waiter waits for this long at least, and for up to 50 ms more, so that one that polls is met at any point of
/// its sleep.
const AT_LEAST: Duration = Duration::from_millis(5);
const POLLS: Duration = Duration::from_millis(50);

/// Measured in turns, round by round.
pub(crate) fn measure(bench: &Bench) -> Vec<Row<Wake>> {
    let rounds = bench.choose(5, 40);
    let progress = Bench::progress("wake", rounds);
    let mut pairs: Vec<Row<Pair>> = field::of(Parts::Contended)
        .map(|entry| {
            let workers = bench.workers(entry, &Bench::lock_name(entry, "wake"), 2);
            (entry, workers.and_then(Pair::new).map_err(|error| error.to_string()))
        })
        .collect();
    for round in 0..rounds {
        for (entry, pair) in &mut pairs {
            progress.set_message(entry.label);
            let failed = match pair {
                Ok(pair) => pair.hand_over(delay(round)).err(),
                Err(_) => None,
            };
            if let Some(error) = failed {
                *pair = Err(error.to_string());
            }
        }
        progress.inc(1);
    }
    progress.finish_with_message("");
    pairs
        .into_iter()
        .map(|(entry, pair)| {
            let wake = pair.and_then(|pair| {
                let [latency, release] = [pair.latencies, pair.releases].map(Spread::of);
                latency
                    .zip(release)
                    .map(|(latency, release)| Wake { latency, release })
                    .ok_or_else(|| "no samples".to_owned())
            });
            (entry, wake)
        })
        .collect()
}

/// How long a waiter waits in that round: spread evenly over a poll, in whichever number of rounds.
pub(crate) fn delay(round: usize) -> Duration {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    AT_LEAST + POLLS.mul_f64((round as f64 * GOLDEN).fract())
}

struct Pair {
    holder: Worker,
    waiter: Worker,
    latencies: Vec<f64>,
    releases: Vec<f64>,
}

impl Pair {
    fn new(workers: Vec<Worker>) -> Result<Self> {
        let [holder, waiter]: [Worker; 2] = workers.try_into().map_err(|_| "two workers")?;
        Ok(Self { holder, waiter, latencies: Vec::new(), releases: Vec::new() })
    }

    fn hand_over(&mut self, delay: Duration) -> Result<()> {
        self.holder.ask(&Order::Hold)?;
        self.waiter.tell(&Order::Wait(Duration::from_secs(5)))?;
        thread::sleep(delay);
        self.holder.release()?;
        let released = self.holder.answer()?;
        let (begun, ended) = released.split_once(' ').ok_or("one time of two")?;
        let (begun, ended): (u64, u64) = (begun.parse()?, ended.parse()?);
        let entered: u64 = self.waiter.answer()?.parse().map_err(|_| "the waiter timed out")?;
        self.latencies.push(entered.saturating_sub(begun) as f64);
        self.releases.push(ended.saturating_sub(begun) as f64);
        Ok(())
    }
}
