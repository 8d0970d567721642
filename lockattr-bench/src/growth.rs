//! Many locks, many waiters, many threads.

use std::time::Duration;

use indicatif::ProgressBar;
use lockattr_bench_contender::{clock, Order, Result};

use crate::bench::{Bench, Row};
use crate::field::{Entry, FIELD, FLOCK_ID};
use crate::many;
use crate::stats::{median, Spread};

/// What was measured of one number.
pub(crate) struct Column<T> {
    pub(crate) number: usize,
    pub(crate) rows: Vec<Row<T>>,
}

/// What a process spends for each of the locks that it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// Nanoseconds to open and acquire it.
    pub(crate) time: f64,
    /// Bytes of memory (RSS).
    pub(crate) memory: f64,
    pub(crate) descriptors: f64,
}

pub(crate) struct Measured {
    pub(crate) locks: Vec<Column<Held>>,
    /// Nanoseconds from a turn to the next, where all wait in the queue already.
    pub(crate) waiters: Vec<Column<Spread>>,
    /// Pairs in a second, of all threads together.
    pub(crate) threads: Vec<Column<Spread>>,
}

const KINDS: [&str; 3] = ["semaphore", "port", FLOCK_ID];
/// Waiters are threads of so many processes.
const CROWDS: usize = 4;

pub(crate) fn measure(bench: &Bench) -> Measured {
    let rounds = bench.choose(1, 3);
    let locks = bench.choose(&[1, 100][..], &[1, 10, 100, 1_000, 10_000][..]);
    let waiters = bench.choose(&[1, 10][..], &[1, 10, 100, 1_000][..]);
    let threads = bench.choose(&[1, 2][..], &[1, 2, 4, 8, 16][..]);
    let steps = rounds * (locks.len() + waiters.len() + threads.len());
    let progress = Bench::progress("growth", steps);

    let length = Duration::from_millis(bench.choose(50, 150));
    let locks =
        columns(&progress, "locks", rounds, locks, |entry, number, _| hold(bench, entry, number));
    let waiters = columns(&progress, "waiters", rounds, waiters, |entry, number, round| {
        crowd(bench, entry, number, round)
    });
    let threads = columns(&progress, "threads", rounds + 2, threads, |entry, number, _| {
        run_threads(bench, entry, number, length)
    });
    progress.finish_with_message("");
    Measured {
        locks: locks
            .into_iter()
            .map(|column| column.summed_up(|samples| middle(&samples)))
            .collect(),
        waiters: waiters.into_iter().map(|column| column.summed_up(Spread::of)).collect(),
        threads: threads.into_iter().map(|column| column.summed_up(Spread::of)).collect(),
    }
}

/// Samples of each entry for each number, taken in turns.
fn columns<T>(
    progress: &ProgressBar,
    what: &str,
    rounds: usize,
    numbers: &[usize],
    measure: impl Fn(&Entry, usize, usize) -> Result<T>,
) -> Vec<Column<Vec<T>>> {
    let entries = || FIELD.iter().filter(|entry| KINDS.contains(&entry.id));
    let column =
        |number| Column { number, rows: entries().map(|it| (it, Ok(Vec::new()))).collect() };
    let mut columns: Vec<Column<Vec<T>>> = numbers.iter().copied().map(column).collect();
    for round in 0..rounds {
        for Column { number, rows } in &mut columns {
            for (entry, samples) in rows {
                progress.set_message(format!("{number} {what}, {}", entry.label));
                let Ok(so_far) = samples else { continue };
                match measure(entry, *number, round) {
                    Ok(sample) => so_far.push(sample),
                    Err(error) => *samples = Err(error.to_string()),
                }
            }
            progress.inc(1);
        }
    }
    columns
}

impl<T> Column<Vec<T>> {
    fn summed_up<S>(self, sum_up: impl Fn(Vec<T>) -> Option<S>) -> Column<S> {
        let rows = self.rows.into_iter().map(|(entry, samples)| {
            let sum = samples.and_then(|it| sum_up(it).ok_or_else(|| "no samples".to_owned()));
            (entry, sum)
        });
        Column { number: self.number, rows: rows.collect() }
    }
}

fn middle(samples: &[Held]) -> Option<Held> {
    Some(Held {
        time: median(samples.iter().map(|it| it.time))?,
        memory: median(samples.iter().map(|it| it.memory))?,
        descriptors: median(samples.iter().map(|it| it.descriptors))?,
    })
}

fn hold(bench: &Bench, entry: &Entry, locks: usize) -> Result<Held> {
    let name = Bench::lock_name(entry, "many");
    let mut command = bench.own("hold-many")?;
    command.args([entry.id, &name, &locks.to_string()]);
    let held = many::parse(&crate::worker::Worker::start(&mut command)?.answer()?)?;
    let each = locks as f64;
    Ok(Held {
        time: held.time / each,
        memory: held.memory / each,
        descriptors: held.descriptors / each,
    })
}

fn crowd(bench: &Bench, entry: &Entry, waiters: usize, round: usize) -> Result<f64> {
    let name = Bench::lock_name(entry, &format!("crowd-{waiters}-{round}"));
    let mut holder = bench.worker(entry, &name)?;
    let mut crowds = bench.workers(entry, &name, CROWDS.min(waiters))?;
    holder.ask(&Order::Hold)?;
    let processes = crowds.len();
    for (at, worker) in crowds.iter_mut().enumerate() {
        let threads = waiters / processes + usize::from(at < waiters % processes);
        worker.tell(&Order::Crowd(threads as u64))?;
    }
    for worker in &mut crowds {
        worker.answer()?;
    }
    let released = clock::now();
    holder.release()?;
    holder.answer()?;
    let mut last: u64 = 0;
    for worker in &mut crowds {
        last = last.max(worker.answer()?.parse()?);
    }
    Ok(last.saturating_sub(released) as f64 / waiters as f64)
}

fn run_threads(bench: &Bench, entry: &Entry, threads: usize, length: Duration) -> Result<f64> {
    let mut worker = bench.worker(entry, &Bench::lock_name(entry, "threads"))?;
    let answer = worker.ask(&Order::Threads(threads as u64, length))?;
    let (pairs, time) = answer.split_once(' ').ok_or("a number without a time")?;
    Ok(pairs.parse::<f64>()? / time.parse::<f64>()? * 1e9)
}
