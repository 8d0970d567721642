//! Processes that all want one lock.

use std::time::Duration;

use indicatif::ProgressBar;
use lockattr_bench_contender::{clock, Contended, Contention, Histogram, Order, Result};

use crate::bench::{Bench, Row};
use crate::field::{self, Entry, Parts};
use crate::stats::{jain, median, Spread};
use crate::worker::Worker;

/// What some processes got of a lock together.
#[derive(Clone, Debug)]
pub(crate) struct Contest {
    /// Acquisitions in a second.
    pub(crate) throughput: Spread,
    /// Nanoseconds, of all rounds together.
    pub(crate) longest: f64,
    pub(crate) p99: f64,
    /// Acquires that waited for a second, of all rounds together.
    pub(crate) timeouts: u64,
    /// In the middle; none if no process got the lock.
    pub(crate) jain: Option<f64>,
    /// Nanoseconds on processors for an acquisition, without what the holders spin. In the middle.
    pub(crate) processor: Option<f64>,
}

/// Some processes, and how long each of them holds.
pub(crate) struct Cell {
    pub(crate) processes: usize,
    pub(crate) hold: Duration,
    pub(crate) rows: Vec<Row<Contest>>,
}

/// A visitor who wants the lock now and then, beside a holder that asks again at once.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Nanoseconds. Of ten visits nine wait no longer. (The middle says little: a visitor that is not let in makes
    /// few visits.)
    pub(crate) p90: f64,
    pub(crate) longest: f64,
    /// Visits in a second.
    pub(crate) rate: f64,
}

pub(crate) struct Measured {
    pub(crate) grid: Vec<Cell>,
    pub(crate) visits: Vec<Row<Visit>>,
}

/// In this cell all take part, in the others one for each way to wait.
pub(crate) const ALL_TAKE_PART: (usize, Duration) = (8, Duration::from_millis(1));

/// How long the greedy one holds, and how long the visitor is away.
pub(crate) const GREEDY: Duration = Duration::from_millis(5);
pub(crate) const AWAY: Duration = Duration::from_millis(3);

/// Lengths of hold, and how long processes contend with it: longer holds take longer to show their waits.
const HOLDS: [(Duration, Duration); 4] = [
    (Duration::ZERO, Duration::from_millis(200)),
    (Duration::from_micros(100), Duration::from_millis(300)),
    (Duration::from_millis(1), Duration::from_millis(600)),
    (Duration::from_millis(5), Duration::from_millis(1200)),
];

/// How long processes contend before anything counts.
const SETTLING: Duration = Duration::from_millis(100);

type Pools = Vec<Row<Vec<Worker>>>;

/// All workers are started once; then every cell is run with one lock after the other, round by round.
pub(crate) fn measure(bench: &Bench) -> Measured {
    let rounds = bench.choose(1, 3);
    let numbers = bench.choose(&[2, 8][..], &[2, 8, 64][..]);
    let mut grid: Vec<Plan> = Vec::new();
    for processes in numbers {
        for (hold, length) in HOLDS {
            let length = bench.choose(length / 4, length);
            let cell = (*processes, hold);
            let parts = if cell == ALL_TAKE_PART { Parts::Contended } else { Parts::Grid };
            grid.push(Plan { processes: *processes, hold, length, parts });
        }
    }
    let most = numbers.iter().max().copied().unwrap_or(0);

    let progress = Bench::progress("contention", grid.len() * rounds + 1);
    let mut pools: Pools = start(bench, &progress, most);
    let mut samples: Vec<Vec<Vec<Sample>>> = vec![vec![Vec::new(); pools.len()]; grid.len()];
    for _ in 0..rounds {
        for (plan, samples) in grid.iter().zip(&mut samples) {
            for ((entry, pool), samples) in pools.iter_mut().zip(samples) {
                if entry.parts < plan.parts {
                    continue;
                }
                progress
                    .set_message(format!("{} x {:?}, {}", plan.processes, plan.hold, entry.label));
                let sample = match pool {
                    Ok(workers) => plan.run(workers),
                    Err(_) => continue,
                };
                match sample {
                    Ok(sample) => samples.push(sample),
                    Err(error) => *pool = Err(error.to_string()),
                }
            }
            progress.inc(1);
        }
    }
    let visits = visit(bench, &progress, &mut pools);
    progress.inc(1);
    progress.finish_with_message("");

    let grid = grid.iter().zip(samples).map(|(plan, samples)| plan.cell(&pools, samples)).collect();
    Measured { grid, visits }
}

fn start(bench: &Bench, progress: &ProgressBar, most: usize) -> Pools {
    field::of(Parts::Contended)
        .map(|entry| {
            progress.set_message(format!("starting {}", entry.label));
            let count = if entry.parts >= Parts::Grid { most } else { ALL_TAKE_PART.0 };
            let workers = bench.workers(entry, &Bench::lock_name(entry, "contention"), count);
            (entry, workers.map_err(|error| error.to_string()))
        })
        .collect()
}

/// A cell that is to be measured.
struct Plan {
    processes: usize,
    hold: Duration,
    length: Duration,
    parts: Parts,
}

/// One run of a cell with one lock.
#[derive(Clone)]
struct Sample {
    throughput: f64,
    jain: Option<f64>,
    processor: Option<f64>,
    timeouts: u64,
    longest: u64,
    waits: Histogram,
}

impl Plan {
    fn run(&self, workers: &mut [Worker]) -> Result<Sample> {
        let (length, hold) = (self.length, self.hold);
        let contention =
            Contention { start: 0, settling: SETTLING, length, hold, pause: Duration::ZERO };
        let workers = workers.get_mut(..self.processes).ok_or("too few workers")?;
        let shares = at_once(workers.iter_mut().map(|worker| (worker, contention)))?;

        let total: u64 = shares.iter().map(|share| share.acquisitions).sum();
        let processor: u64 = shares.iter().map(|share| share.processor).sum();
        let mut waits = Histogram::default();
        for share in &shares {
            waits.merge(&share.waits);
        }
        Ok(Sample {
            throughput: total as f64 / self.length.as_secs_f64(),
            jain: jain(&shares.iter().map(|share| share.acquisitions as f64).collect::<Vec<_>>()),
            processor: (total > 0).then(|| processor as f64 / total as f64),
            timeouts: shares.iter().map(|share| share.timeouts).sum(),
            longest: shares.iter().map(|share| share.longest).max().unwrap_or(0),
            waits,
        })
    }

    fn cell(&self, pools: &Pools, samples: Vec<Vec<Sample>>) -> Cell {
        let rows = pools.iter().zip(samples).filter(|((entry, _), _)| entry.parts >= self.parts);
        let rows = rows.map(|((entry, pool), samples)| {
            let contest = summary(&samples).ok_or_else(|| match pool {
                Err(why) => why.clone(),
                Ok(_) => "no samples".to_owned(),
            });
            (*entry, contest)
        });
        Cell { processes: self.processes, hold: self.hold, rows: rows.collect() }
    }
}

fn summary(samples: &[Sample]) -> Option<Contest> {
    let mut waits = Histogram::default();
    for sample in samples {
        waits.merge(&sample.waits);
    }
    let longest = samples.iter().map(|sample| sample.longest).max()?;
    Some(Contest {
        throughput: Spread::of(samples.iter().map(|sample| sample.throughput))?,
        longest: longest as f64,
        // A histogram knows the ends of its steps only.
        p99: waits.quantile(0.99)?.min(longest) as f64,
        timeouts: samples.iter().map(|sample| sample.timeouts).sum(),
        jain: median(samples.iter().filter_map(|sample| sample.jain)),
        processor: median(samples.iter().filter_map(|sample| sample.processor)),
    })
}

/// Lets several processes begin at the same time.
fn at_once<'a>(
    workers: impl Iterator<Item = (&'a mut Worker, Contention)>,
) -> Result<Vec<Contended>> {
    const UNTIL_ALL_ARE_TOLD: u64 = 20_000_000;

    let start = clock::now() + UNTIL_ALL_ARE_TOLD;
    let mut told = Vec::new();
    for (worker, contention) in workers {
        worker.tell(&Order::Contend(Contention { start, ..contention }))?;
        told.push(worker);
    }
    // All answers are read, also after an error, so that none is left for the next question.
    let answers: Vec<Result<String>> = told.into_iter().map(Worker::answer).collect();
    answers.into_iter().map(|answer| answer?.parse()).collect()
}

fn visit(bench: &Bench, progress: &ProgressBar, pools: &mut Pools) -> Vec<Row<Visit>> {
    let length = Duration::from_millis(bench.choose(200, 1000));
    let greedy =
        Contention { start: 0, settling: SETTLING, length, hold: GREEDY, pause: Duration::ZERO };
    let visitor = Contention { hold: Duration::ZERO, pause: AWAY, ..greedy };
    let visit = |entry: &Entry, pool: &mut std::result::Result<Vec<Worker>, String>| {
        progress.set_message(format!("a visitor, {}", entry.label));
        let workers = pool.as_mut().map_err(|why| why.clone())?;
        let both = workers.iter_mut().zip([greedy, visitor]);
        let got = at_once(both).map_err(|error| error.to_string())?;
        let visits = got.get(1).ok_or("no visitor")?;
        Ok(Visit {
            p90: visits.waits.quantile(0.9).ok_or("no visits")?.min(visits.longest) as f64,
            longest: visits.longest as f64,
            rate: visits.acquisitions as f64 / length.as_secs_f64(),
        })
    };
    pools.iter_mut().map(|(entry, pool)| (*entry, visit(entry, pool))).collect()
}
