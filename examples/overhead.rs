//! What an uncontended lock costs over the bare system calls it stands on:
//! `cargo run --release --example overhead`.
//!
//! The two are measured in turns, so that whatever else the machine does hurts both alike.

use std::io;
use std::time::{Duration, Instant};

use lockattr::{Lock, LockError};
use socket2::{Domain, SockAddr, Socket, Type};

static LOCK: Lock = Lock::port("example-overhead");

const ROUNDS: usize = 50;
const CALLS: u32 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = SockAddr::unix("\0/portlock/example-overhead-raw")?;
    raw(&address)?;
    locked()?;

    let (mut raws, mut locks) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raws.push(time(|| raw(&address))?);
        locks.push(time(locked)?);
    }
    let (raw, lock) = (median(&mut raws), median(&mut locks));
    println!("socket + bind + listen + close   {:>6.2} us", raw.as_secs_f64() * 1e6);
    println!("acquire + release, with record   {:>6.2} us", lock.as_secs_f64() * 1e6);
    println!("ratio                            {:>6.2}", lock.as_secs_f64() / raw.as_secs_f64());
    Ok(())
}

fn raw(address: &SockAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(address)?;
    socket.listen(1)
}

fn locked() -> Result<(), LockError> {
    LOCK.acquire(Duration::from_secs(1)).map(drop)
}

fn time<E>(mut call: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    let start = Instant::now();
    for _ in 0..CALLS {
        call()?;
    }
    Ok(start.elapsed() / CALLS)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
