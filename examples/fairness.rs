//! Does everybody get a fair share of a lock, and soon? Processes take one lock in a loop, hold it
//! for a millisecond each time, and print how often they got it and how long they waited.
//!
//! ```text
//! cargo run --release --example fairness [PROCESSES [SECONDS]]
//! ```
//!
//! Eight processes for five seconds if nothing else is said. A waiter that is served first come,
//! first served waits for all the others once, so the longest wait should stay under twice the
//! number of processes in milliseconds on an idle machine, and the shares should be alike. It ends
//! with a failure if anybody waited for longer than a second.

#[path = "worker/mod.rs"]
mod worker;

use std::env;
use std::error::Error;
use std::hint;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lockattr::Lock;

use crate::worker::Worker;

static LOCK: Lock = Lock::port("demo-fairness");

const HOLD: Duration = Duration::from_millis(1);
const TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(timeouts) => {
            eprintln!("fairness: {timeouts} acquires timed out");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("fairness: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the part that the arguments say, and returns how many acquires timed out.
fn run() -> Result<u32, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["worker", seconds] => {
            worker::ready()?;
            let share = Share::take(Duration::from_secs(seconds.parse()?))?;
            println!("{}", share.to_line());
            Ok(0)
        }
        [] => compare(8, "5"),
        [processes] => compare(processes.parse()?, "5"),
        [processes, seconds] => compare(processes.parse()?, seconds),
        _ => Err("usage: fairness [PROCESSES [SECONDS]]".into()),
    }
}

fn compare(processes: u32, seconds: &str) -> Result<u32, Box<dyn Error>> {
    if processes == 0 || seconds.parse::<u64>().is_err() {
        return Err("PROCESSES is at least 1, SECONDS a whole number".into());
    }
    let mut workers = Vec::new();
    for _ in 0..processes {
        workers.push(Worker::start(&["worker", seconds])?);
    }
    for worker in &mut workers {
        worker.go()?;
    }
    println!(
        "{:>7} {:>12} {:>8} {:>12} {:>12}",
        "pid", "acquisitions", "timeouts", "longest wait", "mean wait"
    );
    let mut shares = Vec::new();
    for worker in &mut workers {
        let share = Share::from_line(&worker.answer()?)?;
        println!(
            "{:>7} {:>12} {:>8} {:>9.2} ms {:>9.2} ms",
            worker.pid(),
            share.acquisitions,
            share.timeouts,
            milliseconds(share.longest_wait),
            milliseconds(share.mean_wait()),
        );
        shares.push(share);
    }

    let all = || shares.iter().map(|share| share.acquisitions);
    let (largest, smallest) = (all().max().unwrap_or(0), all().min().unwrap_or(0));
    let longest_wait = shares.iter().map(|share| share.longest_wait).max().unwrap_or_default();
    let timeouts = shares.iter().map(|share| share.timeouts).sum();
    println!();
    println!("longest wait            {:.2} ms", milliseconds(longest_wait));
    println!("largest/smallest share  {:.3}", f64::from(largest) / f64::from(smallest));
    println!("acquisitions            {}", all().sum::<u32>());
    println!("timeouts                {timeouts}");
    Ok(timeouts)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What one process got of the lock.
#[derive(Default)]
struct Share {
    acquisitions: u32,
    timeouts: u32,
    longest_wait: Duration,
    waited: Duration,
}

impl Share {
    /// Takes the lock over and over for a while.
    fn take(length: Duration) -> Result<Self, Box<dyn Error>> {
        let mut share = Self::default();
        let end = Instant::now() + length;
        loop {
            let start = Instant::now();
            if start >= end {
                return Ok(share);
            }
            let result = LOCK.acquire(TIMEOUT);
            let waited = start.elapsed();
            share.waited += waited;
            share.longest_wait = share.longest_wait.max(waited);
            match result {
                Ok(_guard) => {
                    share.acquisitions += 1;
                    spin(HOLD);
                }
                Err(error) if error.is_timeout() => share.timeouts += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn mean_wait(&self) -> Duration {
        self.waited / (self.acquisitions + self.timeouts).max(1)
    }

    /// As a worker sends it to the process that started it.
    fn to_line(&self) -> String {
        let Self { acquisitions, timeouts, longest_wait, waited } = self;
        format!("{acquisitions} {timeouts} {} {}", longest_wait.as_micros(), waited.as_micros())
    }

    fn from_line(line: &str) -> Result<Self, Box<dyn Error>> {
        let numbers: Result<Vec<u32>, _> = line.split(' ').map(str::parse).collect();
        match numbers?[..] {
            [acquisitions, timeouts, longest_wait, waited] => Ok(Self {
                acquisitions,
                timeouts,
                longest_wait: Duration::from_micros(longest_wait.into()),
                waited: Duration::from_micros(waited.into()),
            }),
            _ => Err(format!("a worker said: {line}").into()),
        }
    }
}

/// Works for exactly this long: a sleep would be longer by what the timer adds, every time. One
/// process holds the lock at a time, so one core spins, however many processes there are.
fn spin(length: Duration) {
    let start = Instant::now();
    while start.elapsed() < length {
        hint::spin_loop();
    }
}
