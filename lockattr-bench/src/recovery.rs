//! From the death of a holder to the moment at which a waiter has the lock.

use std::thread;
use std::time::Duration;

use lockattr_bench_contender::{clock, Order, Result};

use crate::bench::{Bench, Row};
use crate::field::{self, Entry, Parts};
use crate::stats::Spread;
use crate::wake::delay;

#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    /// Nanoseconds, where the waiter got the lock at all.
    pub(crate) latency: Option<Spread>,
    /// After so many kills no waiter had the lock within [`PATIENCE`].
    pub(crate) lost: usize,
    pub(crate) kills: usize,
}

/// A lock that is not had by then is lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// Measured in turns, with a new lock for each kill.
pub(crate) fn measure(bench: &Bench) -> Vec<Row<Recovery>> {
    let rounds = bench.choose(2, 11);
    let progress = Bench::progress("recovery", rounds);
    let mut kills: Vec<Row<Vec<Option<f64>>>> =
        field::of(Parts::Contended).map(|entry| (entry, Ok(Vec::new()))).collect();
    for round in 0..rounds {
        for (entry, outcomes) in &mut kills {
            progress.set_message(entry.label);
            let Ok(so_far) = outcomes else { continue };
            if so_far.len() == 2 && so_far.iter().all(Option::is_none) {
                continue;
            }
            match kill(bench, entry, round) {
                Ok(outcome) => so_far.push(outcome),
                Err(error) => *outcomes = Err(error.to_string()),
            }
        }
        progress.inc(1);
    }
    progress.finish_with_message("");
    kills.into_iter().map(|(entry, outcomes)| (entry, outcomes.map(summary))).collect()
}

fn summary(outcomes: Vec<Option<f64>>) -> Recovery {
    let kills = outcomes.len();
    let lost = outcomes.iter().filter(|it| it.is_none()).count();
    Recovery { latency: Spread::of(outcomes.into_iter().flatten()), lost, kills }
}

/// How long the waiter waited after the kill; none if it has not got the lock.
fn kill(bench: &Bench, entry: &Entry, round: usize) -> Result<Option<f64>> {
    let name = Bench::lock_name(entry, &format!("kill-{round}"));
    let mut holder = bench.start(entry, &name)?;
    let mut waiter = bench.start(entry, &name)?;
    (holder, waiter) = (holder.ready()?, waiter.ready()?);
    holder.ask(&Order::Hold)?;
    waiter.tell(&Order::Wait(PATIENCE * 2))?;
    thread::sleep(delay(round));
    let killed = clock::now();
    holder.kill()?;
    let Some(answer) = waiter.answer_within(PATIENCE)? else { return Ok(None) };
    Ok(answer.parse().ok().map(|entered: u64| entered.saturating_sub(killed) as f64))
}
