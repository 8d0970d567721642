//! filelock: polls `flock`, after 1 ms at first, later every 50 ms.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use lockattr_bench_contender::{serve, Contender, Result};

struct FileLock(filelock::FileLock);

impl Contender for FileLock {
    fn open(name: &str) -> Result<Self> {
        Ok(Self(filelock::new(env::temp_dir().join(name))?))
    }

    fn hold(&mut self, timeout: Duration, body: impl FnOnce()) -> Result<bool> {
        let Some(_guard) = self.0.lock_timeout(timeout)? else { return Ok(false) };
        body();
        Ok(true)
    }
}

fn main() -> ExitCode {
    serve::<FileLock>(&env::args().nth(1).unwrap_or_default())
}
