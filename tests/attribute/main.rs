//! What a function under the attribute does: when the lock is held, when it is given back, what
//! comes out when it cannot be had, and what others get to see.

// An `unsafe fn` is one of the kinds of functions, and an `extern "C" fn`; but no `Result` is C.
#![allow(unsafe_code, improper_ctypes_definitions)]
// Forms that one would not choose, but may have.
#![allow(
    clippy::boxed_local,
    clippy::large_types_passed_by_value,
    clippy::manual_async_fn,
    clippy::needless_arbitrary_self_type,
    clippy::needless_pass_by_value,
    clippy::no_mangle_with_rust_abi,
    clippy::too_many_arguments,
    clippy::toplevel_ref_arg,
    clippy::unused_self,
    clippy::used_underscore_binding
)]

mod block;
mod held;
mod info;
mod kinds;
#[path = "../support/leftovers.rs"]
mod leftovers;
mod names;
mod not_acquired;
mod options;
mod panics;
#[cfg(target_env = "gnu")] // it does not compile elsewhere
mod semaphore;
mod several;
#[cfg(feature = "async")]
mod tasks;

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::panic;
use std::sync::{mpsc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{interprocess_lock, Backend, Lock, LockError};

/// Keeps other runs of this test away, whose locks have the same names, until the process ends.
fn alone() {
    leftovers::remove_at_exit(
        "attribute",
        &["attribute-test", "%2fattribute-test", "attribute::", "attribute%3a%3a"],
    );
}

/// Whether the lock is taken, as somebody else sees it.
fn is_held(name: &str) -> bool {
    let probe = || match Lock::open(Backend::Port, name).unwrap().try_acquire() {
        Ok(_guard) => false,
        Err(error) if error.is_timeout() => true,
        Err(error) => panic!("{error}"),
    };
    thread::scope(|scope| scope.spawn(probe).join().unwrap())
}

/// Runs `f` while another thread holds the lock.
fn while_taken<R>(name: &str, f: impl FnOnce() -> R) -> R {
    let (taken, is_taken) = mpsc::channel();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let lock = Lock::open(Backend::Port, name).unwrap();
            let _guard = lock.acquire(Duration::from_secs(5)).unwrap();
            taken.send(()).unwrap();
            // Ends with an error when `f` has returned, or panicked.
            let _ = is_done.recv();
        });
        is_taken.recv().unwrap();
        let result = f();
        drop(done);
        result
    })
}

fn was_abandoned(name: &str) -> bool {
    let guard = Lock::open(Backend::Port, name).unwrap().try_acquire().unwrap();
    guard.recovered_from().is_some()
}

/// What others are told about the holder.
fn info(name: &str) -> String {
    Lock::open(Backend::Port, name).unwrap().holder().unwrap().unwrap().info.unwrap()
}

/// Writes down, when it is dropped, whether the lock is still held.
struct Witness<'a> {
    lock: &'a str,
    value: u32,
    saw: &'a Cell<Option<bool>>,
}

impl Witness<'_> {
    fn value(&self) -> u32 {
        self.value
    }
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        self.saw.set(Some(is_held(self.lock)));
    }
}
