//! An uncontended lock makes no system call.

use std::fs;

use lockattr::Lock;
use nix::libc;
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{fork, ForkResult};

use super::support::{open, unique_semaphore, LONG};

/// From here on any system call but `exit` ends this process by a signal (seccomp(2)).
fn forbid_system_calls() {
    let statement =
        |code: u32, jt, jf, k: u32| libc::sock_filter { code: code.try_into().unwrap(), jt, jf, k };
    let exit = libc::SYS_exit.try_into().unwrap();
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0), // the call's number
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, exit),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its four statements live through the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program), 0);
    }
}

#[test]
fn a_lock_that_nobody_else_wants_takes_no_system_call() {
    // Every 10 ms it looks whether its files are still there, which is a system call: a round that is
    // interrupted may meet that moment, and so some rounds may fail.
    const ROUNDS: usize = 50;
    const TIMES: u32 = 100;

    let name = unique_semaphore("no-call");
    let ends_well = |work: &dyn Fn(&Lock)| {
        // SAFETY: the child takes a lock, and ends by a bare system call.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let lock = open(&name);
                drop(lock.acquire(LONG));
                forbid_system_calls();
                work(&lock);
                // SAFETY: ends the process: it has this thread alone.
                unsafe { libc::syscall(libc::SYS_exit, 0) };
                unreachable!()
            }
            ForkResult::Parent { child } => {
                matches!(waitpid(child, None).unwrap(), WaitStatus::Exited(_, 0))
            }
        }
    };
    let takes_it = |lock: &Lock| (0..TIMES).for_each(|_| drop(lock.acquire(LONG)));
    assert!((0..ROUNDS).any(|_| ends_well(&takes_it)));
    // That it would be noticed:
    assert!(!ends_well(&|_| drop(fs::metadata("/"))));
}
