//! sem_safe: a named semaphore. It can wait without a timeout only.

use std::env;
use std::ffi::CString;
use std::process::ExitCode;
use std::time::Duration;

use lockattr_bench_contender::{serve, Contender, Result};
use sem_safe::named::{OpenFlags, Semaphore};

struct SemSafe(Semaphore);

impl Contender for SemSafe {
    fn open(name: &str) -> Result<Self> {
        let flags = OpenFlags::Create { exclusive: false, mode: 0o600, value: 1 };
        let name = CString::new(format!("/{name}"))?;
        Ok(Self(Semaphore::open(&name, flags).map_err(|()| "sem_open failed")?))
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let semaphore = self.0.sem_ref();
        semaphore.wait().map_err(|()| "sem_wait failed")?;
        body();
        semaphore.post().map_err(|()| "sem_post failed")?;
        Ok(true)
    }
}

fn main() -> ExitCode {
    serve::<SemSafe>(&env::args().nth(1).unwrap_or_default())
}
