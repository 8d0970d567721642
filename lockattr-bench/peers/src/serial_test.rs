//! serial_test: the attribute `file_serial`, which opens and reads files and blocks in `flock`. The name is in the
//! source, so locks are told apart by the folder for temporary files.

use std::cell::Cell;
use std::env;
use std::process::ExitCode;
use std::ptr::NonNull;
use std::time::Duration;

use lockattr_bench_contender::{serve, Contender, Result};
use serial_test::file_serial;

struct SerialTest;

thread_local! {
    /// What the next [`locked`] of this thread does: its function takes no arguments.
    static BODY: Cell<Option<NonNull<dyn FnMut()>>> = const { Cell::new(None) };
}

#[file_serial(lockattr_bench)]
fn locked() {
    if let Some(mut body) = BODY.take() {
        // SAFETY: `hold`, which is waiting for this very call, has put it there, and borrows it until then.
        unsafe { body.as_mut()() }
    }
}

impl Contender for SerialTest {
    fn open(_: &str) -> Result<Self> {
        Ok(Self)
    }

    fn hold(&mut self, _: Duration, body: impl FnOnce()) -> Result<bool> {
        let mut body = Some(body);
        let mut body = || {
            if let Some(body) = body.take() {
                body();
            }
        };
        let body: NonNull<dyn FnMut() + '_> = NonNull::from(&mut body);
        // SAFETY: only the lifetime changes, and `locked` uses the pointer before this function ends.
        let body: NonNull<dyn FnMut()> = unsafe { std::mem::transmute(body) };
        BODY.set(Some(body));
        locked();
        Ok(true)
    }
}

fn main() -> ExitCode {
    serve::<SerialTest>(&env::args().nth(1).unwrap_or_default())
}
