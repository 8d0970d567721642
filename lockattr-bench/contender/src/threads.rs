//! Threads of one process, each with a lock of its own.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::contention::TIMEOUT;
use crate::{Contender, Result};

/// So many pairs are made between two looks at the clock.
const AT_ONCE: u64 = 32;

/// How many pairs all threads made together, and in how many nanoseconds.
pub(crate) fn run<C: Contender>(name: &str, threads: u64, length: Duration) -> Result<(u64, u64)> {
    let begin = Barrier::new(usize::try_from(threads)?);
    let start = Instant::now();
    let made: Result<Vec<(u64, Duration)>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                let begin = &begin;
                scope.spawn(move || one::<C>(&format!("{name}-{number}"), begin, length))
            })
            .collect();
        threads.into_iter().map(|it| it.join().map_err(|_| "a thread panicked")?).collect()
    });
    let made = made?;
    // The rates add up, also where a thread was late.
    let rate: f64 = made.iter().map(|(pairs, time)| *pairs as f64 / time.as_secs_f64()).sum();
    let time = start.elapsed();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts are small
    Ok(((rate * time.as_secs_f64()) as u64, time.as_nanos() as u64))
}

fn one<C: Contender>(name: &str, begin: &Barrier, length: Duration) -> Result<(u64, Duration)> {
    let opened = C::open(name).and_then(|mut lock| lock.hold(TIMEOUT, || ()).map(|_| lock));
    // Also a thread that failed lets the others begin.
    begin.wait();
    let mut lock = opened?;
    let start = Instant::now();
    let mut pairs = 0;
    while start.elapsed() < length {
        for _ in 0..AT_ONCE {
            if !lock.hold(TIMEOUT, || ())? {
                return Err("a lock that is nobody else's timed out".into());
            }
        }
        pairs += AT_ONCE;
    }
    Ok((pairs, start.elapsed()))
}
