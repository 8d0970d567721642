//! What deaths, removed files and posts by others leave behind: whoever comes next has the lock.

#![allow(unsafe_code)] // fork, ptrace, sem_open

#[path = "../support/mod.rs"]
mod support;

mod posted;
mod random;
mod removed;
// Elsewhere a single step breaks up an atomic operation, or there are no semaphores.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod step_by_step;

/// The longest text that a record has room for is a little longer.
const LONG_TEXT: usize = 3_400;

#[test]
fn role() {
    support::play(&[
        ("hold", support::hold),
        ("wait", support::wait),
        ("repeat", random::repeat),
        ("obey", removed::obey),
    ]);
}
