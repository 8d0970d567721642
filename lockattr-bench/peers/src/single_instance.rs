//! single-instance: binds an abstract socket. It can only try, so it is tried every 10 ms here, as timed locks that
//! poll mostly are.

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use lockattr_bench_contender::{serve, Contender, Result};

const BETWEEN_TRIES: Duration = Duration::from_millis(10);

struct SingleInstance(String);

impl Contender for SingleInstance {
    fn open(name: &str) -> Result<Self> {
        Ok(Self(name.into()))
    }

    fn hold(&mut self, timeout: Duration, body: impl FnOnce()) -> Result<bool> {
        let start = Instant::now();
        loop {
            let instance = single_instance::SingleInstance::new(&self.0)?;
            if instance.is_single() {
                body();
                return Ok(true);
            }
            if start.elapsed() >= timeout {
                return Ok(false);
            }
            thread::sleep(BETWEEN_TRIES);
        }
    }
}

fn main() -> ExitCode {
    serve::<SingleInstance>(&env::args().nth(1).unwrap_or_default())
}
