//! The semaphore backend's own: the files in `/dev/shm`, and whatever may be found in them.

#![allow(unsafe_code)] // fork, seccomp

mod calls;
mod content;
mod files;
mod forced;
mod holders;
mod judgement;
mod memory;
mod order;
#[path = "../support/mod.rs"]
mod support;
mod unlinked;
mod users;

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;

use nix::libc;
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{fork, ForkResult};

#[test]
fn role() {
    support::play(&[
        ("hold", support::hold),
        ("wait a while", content::wait_a_while),
        ("begin", files::begin),
        ("use many", files::use_many),
        ("become another", holders::become_another),
        ("detach", forced::detach),
        ("wait", support::wait),
        ("take without end", order::take_without_end),
        ("take many times", order::take_many_times),
        ("come in turn", order::come_in_turn),
        ("storm", order::storm),
        ("wait without descriptors", order::wait_without_descriptors),
        ("wait with many threads", order::wait_with_many_threads),
    ]);
}

pub(crate) fn semaphore_of(name: &str) -> PathBuf {
    format!("/dev/shm/sem.{name}").into()
}

pub(crate) fn record_of(name: &str) -> PathBuf {
    format!("/dev/shm/{name}").into()
}

pub(crate) fn mode_of(path: PathBuf) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// The units of a semaphore, as the C library counts them: what another program finds.
pub(crate) fn value(name: &str) -> i32 {
    let path = CString::new(format!("/{name}")).unwrap();
    // SAFETY: the name ends with a NUL; the semaphore is closed again, and not used after that.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_ne!(semaphore, libc::SEM_FAILED);
        let mut value = -1;
        assert_eq!(libc::sem_getvalue(semaphore, &mut value), 0);
        libc::sem_close(semaphore);
        value
    }
}

/// Posts a semaphore, as resourcelock's `unget` does.
pub(crate) fn post(name: &str) {
    let path = CString::new(format!("/{name}")).unwrap();
    // SAFETY: as above.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_ne!(semaphore, libc::SEM_FAILED);
        assert_eq!(libc::sem_post(semaphore), 0);
        libc::sem_close(semaphore);
    }
}

pub(crate) fn take_and_say_nothing(name: &str) {
    let path = CString::new(format!("/{name}")).unwrap();
    // SAFETY: as in `value`.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_eq!(libc::sem_trywait(semaphore), 0);
        libc::sem_close(semaphore);
    }
}

/// In a forked child of one thread; its exit code.
pub(crate) fn in_a_child(work: impl FnOnce() -> u8) -> i32 {
    // SAFETY: the child calls what is under test here, and leaves by `_exit`.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            // A panic ends the child here: the rest of the stack is the parent's business.
            let code = catch_unwind(AssertUnwindSafe(work)).unwrap_or(101);
            // SAFETY: ends the process, without a test harness's exit handlers.
            unsafe { libc::_exit(code.into()) }
        }
        ForkResult::Parent { child } => match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}"),
        },
    }
}
