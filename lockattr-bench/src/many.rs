//! A process that holds many locks at once, and says what they cost it.

use std::env;
use std::fs::{self, File};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lockattr::{Backend, Lock};
use lockattr_bench_contender::Result;
use nix::fcntl::{Flock, FlockArg};

use crate::field::FLOCK_ID;

/// Of all locks together.
pub(crate) struct Cost {
    /// Nanoseconds.
    pub(crate) time: f64,
    /// Bytes.
    pub(crate) memory: f64,
    pub(crate) descriptors: f64,
}

/// Is the process: holds so many locks whose names begin with `name`, answers, and ends.
pub(crate) fn hold(contender: &str, name: &str, locks: usize) -> ExitCode {
    let cost = match contender {
        "semaphore" => cost(locks, |at| take(Backend::Semaphore, &format!("{name}-{at}"))),
        "port" => cost(locks, |at| take(Backend::Port, &format!("{name}-{at}"))),
        FLOCK_ID => cost(locks, |at| take_file(&format!("{name}-{at}"))),
        _ => Err(format!("not many locks are called {contender}").into()),
    };
    match cost {
        Ok(Cost { time, memory, descriptors }) => {
            println!("ok {time} {memory} {descriptors}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("error {error}");
            ExitCode::FAILURE
        }
    }
}

/// What such a process has answered.
pub(crate) fn parse(answer: &str) -> Result<Cost> {
    let numbers: std::result::Result<Vec<f64>, _> = answer.split(' ').map(str::parse).collect();
    match numbers?[..] {
        [time, memory, descriptors] => Ok(Cost { time, memory, descriptors }),
        _ => Err(format!("three numbers, not {answer:?}").into()),
    }
}

fn cost<T>(locks: usize, take: impl Fn(usize) -> Result<T>) -> Result<Cost> {
    // What the first one of a process costs is not the cost of each.
    let first = take(locks)?;
    let mut held = Vec::with_capacity(locks);
    let (memory, descriptors) = (memory()?, descriptors()?);
    let start = Instant::now();
    for at in 0..locks {
        held.push(take(at)?);
    }
    let time = start.elapsed().as_nanos() as f64;
    let cost = Cost {
        time,
        memory: self::memory()? - memory,
        descriptors: self::descriptors()? - descriptors,
    };
    drop((first, held));
    Ok(cost)
}

fn take(backend: Backend, name: &str) -> Result<impl Sized> {
    let lock = Lock::open(backend, name)?;
    let guard = lock.acquire(Duration::from_secs(1))?;
    Ok((guard, lock))
}

fn take_file(name: &str) -> Result<impl Sized> {
    let file = File::create(env::temp_dir().join(name))?;
    Ok(Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error)?)
}

/// Resident memory, in bytes.
fn memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|it| it.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(kibibytes.parse::<f64>()? * 1024.0)
}

fn descriptors() -> Result<f64> {
    Ok(fs::read_dir("/proc/self/fd")?.count() as f64)
}
