//! Does everybody get a fair share of a lock, and soon? Both backends of lockattr, and `flock`, one after the
//! other in one run.
//!
//! ```text
//! cargo run --release --example fairness [PROCESSES [SECONDS]]
//! ```
//!
//! Eight processes for five seconds if nothing else is said. They take one lock in a loop and hold it for a
//! millisecond each time. A waiter that is served first come, first served waits for all the others once, so
//! the longest wait should stay under twice the number of processes in milliseconds on an idle machine, and
//! the shares should be alike (Jain's index is 1 if they are equal, and 1/n if one of n gets all).
//!
//! Then a *visitor* wants the lock now and then, beside one process that holds it for 5 ms and asks again at
//! once. It should wait for one hold.
//!
//! It ends with a failure if anybody waited for a lock of lockattr for longer than a second.

#[path = "worker/mod.rs"]
mod worker;

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::hint;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use lockattr::Lock;

use crate::worker::Worker;

static PORT: Lock = Lock::port("demo-fairness");
static SEMAPHORE: Lock = Lock::semaphore("demo-fairness-semaphore");

const HOLD: Duration = Duration::from_millis(1);
const GREEDY_HOLD: Duration = Duration::from_millis(5);
const BETWEEN_VISITS: Duration = Duration::from_millis(3);
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
        ["worker", kind, hold, between, milliseconds] => {
            let mut taken = Taken::open(kind)?;
            let [hold, between, length] = [hold, between, milliseconds].map(str::parse);
            worker::ready()?;
            let time = Duration::from_millis;
            let share = Share::take(&mut taken, time(hold?), time(between?), time(length?))?;
            println!("{}", share.to_line());
            Ok(0)
        }
        [] => compare(8, 5),
        [processes] => compare(processes.parse()?, 5),
        [processes, seconds] => compare(processes.parse()?, seconds.parse()?),
        _ => Err("usage: fairness [PROCESSES [SECONDS]]".into()),
    }
}

fn compare(processes: u32, seconds: u64) -> Result<u32, Box<dyn Error>> {
    if processes == 0 || seconds == 0 {
        return Err("PROCESSES and SECONDS are at least 1".into());
    }
    println!(
        "{processes} processes that hold for {HOLD:?}, for {seconds} s; \
         a visitor beside one that holds for {GREEDY_HOLD:?}"
    );
    println!(
        "{:<10} {:>12} {:>14} {:>10} {:>15} {:>8}",
        "", "longest wait", "Jain's index", "grants", "visitor's wait", "visits"
    );
    let mut timeouts = 0;
    let length = Duration::from_secs(seconds);
    for kind in Taken::KINDS {
        let share = |hold, between| (hold, between);
        let all = at_once(kind, length, &vec![share(HOLD, Duration::ZERO); processes as usize])?;
        let visit = [share(GREEDY_HOLD, Duration::ZERO), share(Duration::ZERO, BETWEEN_VISITS)];
        let visit = at_once(kind, length / 2, &visit)?;
        let visitor = &visit[1];
        let longest = all.iter().map(|share| share.longest_wait).max().unwrap_or_default();
        println!(
            "{kind:<10} {:>9.2} ms {:>14.4} {:>10} {:>12.2} ms {:>8}",
            milliseconds(longest),
            jain(&all),
            all.iter().map(|share| share.acquisitions).sum::<u32>(),
            milliseconds(visitor.longest_wait),
            visitor.acquisitions,
        );
        timeouts += all.iter().chain(&visit).map(|share| share.timeouts).sum::<u32>();
    }
    Ok(timeouts)
}

/// What each of several processes gets that take one lock at the same time, with a length of hold and of
/// pause each.
fn at_once(
    kind: &str,
    length: Duration,
    processes: &[(Duration, Duration)],
) -> Result<Vec<Share>, Box<dyn Error>> {
    let text = |time: &Duration| time.as_millis().to_string();
    let mut workers = Vec::new();
    for (hold, between) in processes {
        let arguments = ["worker", kind, &text(hold), &text(between), &text(&length)];
        workers.push(Worker::start(&arguments)?);
    }
    for worker in &mut workers {
        worker.go()?;
    }
    workers.iter_mut().map(|worker| Share::from_line(&worker.answer()?)).collect()
}

/// Jain's fairness index of what each got.
fn jain(shares: &[Share]) -> f64 {
    let all = || shares.iter().map(|share| f64::from(share.acquisitions));
    let processes = all().map(|_| 1.0).sum::<f64>();
    all().sum::<f64>().powi(2) / (processes * all().map(|it| it * it).sum::<f64>())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What is taken.
enum Taken {
    Lock(&'static Lock),
    File(fd_lock::RwLock<File>),
}

impl Taken {
    const KINDS: [&'static str; 3] = ["port", "semaphore", "flock"];

    fn open(kind: &str) -> Result<Self, Box<dyn Error>> {
        Ok(match kind {
            "port" => Self::Lock(&PORT),
            "semaphore" => Self::Lock(&SEMAPHORE),
            "flock" => {
                let path: PathBuf = env::temp_dir().join("lockattr-example-fairness");
                let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
                Self::File(fd_lock::RwLock::new(file))
            }
            _ => return Err(format!("no lock is called {kind}").into()),
        })
    }

    /// Holds it for a while. How long that took to come; none if its time was over before.
    fn hold(&mut self, length: Duration) -> Result<Option<Duration>, Box<dyn Error>> {
        let start = Instant::now();
        match self {
            Self::Lock(lock) => match lock.acquire(TIMEOUT) {
                Ok(_guard) => {
                    let waited = start.elapsed();
                    spin(length);
                    Ok(Some(waited))
                }
                Err(error) if error.is_timeout() => Ok(None),
                Err(error) => Err(error.into()),
            },
            Self::File(file) => {
                let _guard = file.write()?;
                let waited = start.elapsed();
                spin(length);
                Ok(Some(waited))
            }
        }
    }
}

/// What one process got of the lock.
#[derive(Default)]
struct Share {
    acquisitions: u32,
    timeouts: u32,
    longest_wait: Duration,
}

impl Share {
    /// Takes the lock over and over for a while.
    fn take(
        taken: &mut Taken,
        hold: Duration,
        between: Duration,
        length: Duration,
    ) -> Result<Self, Box<dyn Error>> {
        let mut share = Self::default();
        let end = Instant::now() + length;
        while Instant::now() < end {
            if let Some(waited) = taken.hold(hold)? {
                share.acquisitions += 1;
                share.longest_wait = share.longest_wait.max(waited);
            } else {
                share.timeouts += 1;
                share.longest_wait = share.longest_wait.max(TIMEOUT);
            }
            if !between.is_zero() {
                thread::sleep(between);
            }
        }
        Ok(share)
    }

    /// As a worker sends it to the process that started it.
    fn to_line(&self) -> String {
        let Self { acquisitions, timeouts, longest_wait } = self;
        format!("{acquisitions} {timeouts} {}", longest_wait.as_micros())
    }

    fn from_line(line: &str) -> Result<Self, Box<dyn Error>> {
        let numbers: Result<Vec<u32>, _> = line.split(' ').map(str::parse).collect();
        match numbers?[..] {
            [acquisitions, timeouts, longest_wait] => Ok(Self {
                acquisitions,
                timeouts,
                longest_wait: Duration::from_micros(longest_wait.into()),
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
