//! ipc-lock: blocks in `flock`, knows no timeout.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use lockattr_bench_contender::{serve, Contender, Result};

struct IpcLock(ipc_lock::Lock);

impl Contender for IpcLock {
    fn open(name: &str) -> Result<Self> {
        Ok(Self(ipc_lock::Lock::new(name)?))
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let _guard = self.0.lock()?;
        body();
        Ok(true)
    }
}

fn main() -> ExitCode {
    serve::<IpcLock>(&env::args().nth(1).unwrap_or_default())
}
