//! proc-lock: its attribute, which opens a file and blocks in `flock`. The name is in the source, so locks are told
//! apart by the folder for temporary files.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use lockattr_bench_contender::{serve, Contender, Result};
use proc_lock::proc_lock;

struct ProcLock;

#[proc_lock(name = "lockattr-bench.lock")]
fn locked(body: impl FnOnce()) {
    body();
}

impl Contender for ProcLock {
    fn open(_: &str) -> Result<Self> {
        Ok(Self)
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        locked(body);
        Ok(true)
    }
}

fn main() -> ExitCode {
    serve::<ProcLock>(&env::args().nth(1).unwrap_or_default())
}
