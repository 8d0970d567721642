//! named-lock: blocks in `flock`, knows no timeout.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use lockattr_bench_contender::{serve, Contender, Result};

struct NamedLock(named_lock::NamedLock);

impl Contender for NamedLock {
    fn open(name: &str) -> Result<Self> {
        Ok(Self(named_lock::NamedLock::create(name)?))
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let _guard = self.0.lock()?;
        body();
        Ok(true)
    }
}

fn main() -> ExitCode {
    serve::<NamedLock>(&env::args().nth(1).unwrap_or_default())
}
