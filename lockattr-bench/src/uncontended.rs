//! What a lock costs that no other process wants.

use std::time::Duration;

use lockattr_bench_contender::{Order, Result};

use crate::bench::{Bench, Row};
use crate::field::FIELD;
use crate::stats::Spread;
use crate::worker::Worker;

/// Nanoseconds for an acquire and its release, of each entry. All are measured in turns, round by round, so that
/// what else the machine does hurts them alike.
pub(crate) fn measure(bench: &Bench) -> Vec<Row<Spread>> {
    let rounds = bench.choose(5, 30);
    let sample = bench.choose(Duration::from_millis(5), Duration::from_millis(20));
    let progress = Bench::progress("uncontended", rounds + 1);

    progress.set_message("warming up");
    let mut runners: Vec<Row<Runner>> = FIELD
        .iter()
        .map(|entry| {
            let worker = bench.worker(entry, &Bench::lock_name(entry, "uncontended"));
            let runner = worker.and_then(|worker| Runner::calibrate(worker, sample));
            (entry, runner.map_err(|error| error.to_string()))
        })
        .collect();
    for _ in 0..rounds {
        progress.inc(1);
        for (entry, runner) in &mut runners {
            progress.set_message(entry.label);
            let failed = match runner {
                Ok(it) => it.run().err(),
                Err(_) => None,
            };
            if let Some(error) = failed {
                *runner = Err(error.to_string());
            }
        }
    }
    progress.inc(1);
    progress.finish_with_message("");
    runners
        .into_iter()
        .map(|(entry, runner)| {
            let spread =
                runner.and_then(|it| Spread::of(it.samples).ok_or_else(|| "no samples".to_owned()));
            (entry, spread)
        })
        .collect()
}

/// A worker, and how many pairs make a sample of the wanted length.
struct Runner {
    worker: Worker,
    pairs: u64,
    samples: Vec<f64>,
}

impl Runner {
    fn calibrate(mut worker: Worker, sample: Duration) -> Result<Self> {
        let mut pairs = 1;
        loop {
            let time: u64 = worker.ask(&Order::Pairs(pairs))?.parse()?;
            let time = Duration::from_nanos(time.max(1));
            if time * 4 >= sample {
                let more = sample.as_secs_f64() / time.as_secs_f64();
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // at most 4 times
                let pairs = ((pairs as f64 * more) as u64).max(1);
                return Ok(Self { worker, pairs, samples: Vec::new() });
            }
            pairs *= 2;
        }
    }

    fn run(&mut self) -> Result<()> {
        let time: f64 = self.worker.ask(&Order::Pairs(self.pairs))?.parse()?;
        self.samples.push(time / self.pairs as f64);
        Ok(())
    }
}
