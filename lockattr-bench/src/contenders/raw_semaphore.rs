//! A bare named semaphore: the floor for what stands on one.

#![allow(unsafe_code)] // `sem_*` have no safe wrapper that waits to a deadline

use std::ffi::CString;
use std::io;
use std::time::{Duration, SystemTime};

use lockattr_bench_contender::{Contender, Error, Result};
use nix::libc;

/// `sem_trywait`, and `sem_timedwait` if that fails.
pub(super) struct RawSemaphore(*mut libc::sem_t);

// SAFETY: a `sem_t` is made to be used by many threads.
unsafe impl Send for RawSemaphore {}

impl Contender for RawSemaphore {
    fn open(name: &str) -> Result<Self> {
        let name = CString::new(format!("/{name}"))?;
        let (mode, value): (libc::c_uint, libc::c_uint) = (0o600, 1);
        // SAFETY: `name` ends with a NUL, and a mode and a value follow `O_CREAT`.
        let semaphore = unsafe { libc::sem_open(name.as_ptr(), libc::O_CREAT, mode, value) };
        if semaphore == libc::SEM_FAILED {
            return Err(io::Error::last_os_error().into());
        }
        Ok(Self(semaphore))
    }

    fn hold(&mut self, timeout: Duration, body: impl FnOnce()) -> Result<bool> {
        // SAFETY: opened in `open`, and never closed.
        if unsafe { libc::sem_trywait(self.0) } != 0 && !self.wait(timeout)? {
            return Ok(false);
        }
        body();
        // SAFETY: as above.
        if unsafe { libc::sem_post(self.0) } != 0 {
            return Err(io::Error::last_os_error().into());
        }
        Ok(true)
    }
}

impl RawSemaphore {
    fn wait(&self, timeout: Duration) -> Result<bool> {
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? + timeout;
        let deadline = libc::timespec {
            tv_sec: deadline.as_secs().try_into()?,
            tv_nsec: deadline.subsec_nanos().into(),
        };
        loop {
            // SAFETY: as above, and the deadline lives for the call.
            if unsafe { libc::sem_timedwait(self.0, &raw const deadline) } == 0 {
                return Ok(true);
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::ETIMEDOUT) => return Ok(false),
                _ => return Err(Error::from(error)),
            }
        }
    }
}
