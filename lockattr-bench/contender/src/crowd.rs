//! Many threads that wait for one lock.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::{clock, Contender, Result};

/// So long may a crowd wait for its turns.
const PATIENCE: Duration = Duration::from_secs(60);
/// Thousands of threads need no deep stacks.
const STACK: usize = 128 * 1024;

/// Lets `threads` of them wait for the lock `name`, and calls `asleep` when all do. The time of the last turn.
pub(crate) fn wait<C: Contender>(
    name: &str,
    threads: u64,
    asleep: impl FnOnce() -> Result<()>,
) -> Result<u64> {
    let turns: Vec<_> = (0..threads)
        .map(|_| {
            let name = name.to_owned();
            thread::Builder::new().stack_size(STACK).spawn(move || one::<C>(&name))
        })
        .collect::<io::Result<_>>()?;
    until_asleep(threads)?;
    asleep()?;
    let mut last = 0;
    for turn in turns {
        last = last.max(turn.join().map_err(|_| "a waiter panicked")??);
    }
    Ok(last)
}

fn one<C: Contender>(name: &str) -> Result<u64> {
    let mut entered = 0;
    if !C::open(name)?.hold(PATIENCE, || entered = clock::now())? {
        return Err("a waiter timed out".into());
    }
    Ok(entered)
}

/// Waits until all threads but this one were found asleep in two looks, so each has come to its wait.
fn until_asleep(threads: u64) -> Result<()> {
    let start = Instant::now();
    let mut looks = 0;
    while looks < 2 {
        if start.elapsed() > PATIENCE {
            return Err("the waiters do not come to rest".into());
        }
        thread::sleep(Duration::from_millis(2));
        let mut sleeping = 0;
        for task in fs::read_dir("/proc/self/task")? {
            let task = fs::read_to_string(task?.path().join("stat"))?;
            // After the command's name, which is in parentheses and may have some in it.
            sleeping += u64::from(task.rsplit(')').next().is_some_and(|it| it.starts_with(" S")));
        }
        looks = if sleeping >= threads { looks + 1 } else { 0 };
    }
    Ok(())
}
