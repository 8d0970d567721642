//! What an uncontended lock costs over the bare system calls it stands on:
//! `cargo run --release --example overhead`.
//!
//! All are measured in turns, so that whatever else the machine does hurts them alike.

use std::io;
use std::time::{Duration, Instant};

use lockattr::{interprocess_lock, Lock, LockError};
use socket2::{Domain, SockAddr, Socket, Type};

static LOCK: Lock = Lock::port("example-overhead");

/// What others are told about the holder: one text, so that the record is the same work for both.
const INFO: &str = "measures its overhead";

#[interprocess_lock("example-overhead", info = "measures its overhead")]
fn annotated() -> Result<(), LockError> {
    Ok(())
}

const ROUNDS: usize = 50;
const CALLS: u32 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = SockAddr::unix("\0/portlock/example-overhead-raw")?;
    raw(&address)?;
    locked()?;

    let (mut raws, mut locks, mut functions) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raws.push(time(|| raw(&address))?);
        locks.push(time(locked)?);
        functions.push(time(annotated)?);
    }
    let (raw, lock) = (median(&mut raws), median(&mut locks));
    let function = median(&mut functions);
    println!("socket + bind + listen + close   {:>6.2} us", raw.as_secs_f64() * 1e6);
    println!("acquire + release, with record   {:>6.2} us", lock.as_secs_f64() * 1e6);
    println!("the same by the attribute        {:>6.2} us", function.as_secs_f64() * 1e6);
    println!("acquire + release, to raw        {:>6.2}", lock.as_secs_f64() / raw.as_secs_f64());
    println!(
        "attribute, to by hand            {:>6.3}",
        function.as_secs_f64() / lock.as_secs_f64()
    );
    Ok(())
}

fn raw(address: &SockAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(address)?;
    socket.listen(1)
}

fn locked() -> Result<(), LockError> {
    LOCK.with().timeout(Duration::from_secs(1)).info(INFO).acquire().map(drop)
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
