//! fd-lock: blocks in `flock`, knows no timeout.

use std::env;
use std::fs::File;
use std::process::ExitCode;
use std::time::Duration;

use lockattr_bench_contender::{serve, Contender, Result};

struct FdLock(fd_lock::RwLock<File>);

impl Contender for FdLock {
    fn open(name: &str) -> Result<Self> {
        let file = File::options().create(true).append(true).open(env::temp_dir().join(name))?;
        Ok(Self(fd_lock::RwLock::new(file)))
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let _guard = self.0.write()?;
        body();
        Ok(true)
    }
}

fn main() -> ExitCode {
    serve::<FdLock>(&env::args().nth(1).unwrap_or_default())
}
