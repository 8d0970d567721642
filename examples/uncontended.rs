//! What a lock costs when nobody else wants it: each backend of lockattr, and `fd-lock`, in one run.
//!
//! ```sh
//! cargo run --release --example uncontended
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use lockattr::Lock;

const TIMEOUT: Duration = Duration::from_secs(1);
const ROUNDS: u32 = 15;

static SEMAPHORE: Lock = Lock::semaphore("example-uncontended");
static PORT: Lock = Lock::port("example-uncontended-port");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join("lockattr-example-uncontended");
    let mut file = fd_lock::RwLock::new(std::fs::File::create(&path)?);

    let mut measured = [f64::MAX; 3];
    // The best of several rounds, in turns: a machine that does other things makes all of them slower.
    for _ in 0..ROUNDS {
        let round = [
            nanoseconds(100_000, || drop(black_box(SEMAPHORE.acquire(TIMEOUT)))),
            nanoseconds(2_000, || drop(black_box(PORT.acquire(TIMEOUT)))),
            nanoseconds(10_000, || drop(black_box(file.write()))),
        ];
        for (best, time) in measured.iter_mut().zip(round) {
            *best = best.min(time);
        }
    }
    std::fs::remove_file(path)?;

    let [semaphore, port, fd_lock] = measured;
    println!("acquire and release, when nobody else wants the lock:");
    for (what, time) in
        [("lockattr, semaphore", semaphore), ("lockattr, port", port), ("fd-lock", fd_lock)]
    {
        println!("{what:<22}{time:>8.0} ns{:>8.1} x the semaphore", time / semaphore);
    }
    Ok(())
}

fn nanoseconds(times: u32, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(times)
}
