//! System calls that a filter refuses (seccomp(2)).

#![allow(unsafe_code)]

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::libc;

use super::Actor;

/// A role: refuses a system call (`EPERM`), and becomes this program anew in another role.
pub fn refuse(argument: &str) {
    let mut parts = argument.splitn(3, '|');
    let mut next = || parts.next().unwrap();
    let (call, role, name) = (next().parse().unwrap(), next(), next());
    forbid(call);
    let error = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "role", "--nocapture", "--test-threads=1"])
        .env("LOCKATTR_TEST_ROLE", role)
        .env("LOCKATTR_TEST_ARGUMENT", name)
        .exec();
    panic!("{error}");
}

fn forbid(call: i64) {
    let refusal = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let statement =
        |code: u32, jt, jf, k: u32| libc::sock_filter { code: code.try_into().unwrap(), jt, jf, k };
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0), // the call's number
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, call.try_into().unwrap()),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, refusal),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its four statements live through the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program), 0);
    }
}

/// Starts an actor in a role, with a call refused from its first instruction on. The test knows the role
/// `refuse`.
pub fn start_refused(call: libc::c_long, role: &str, name: &str) -> Actor {
    Actor::start("refuse", &format!("{call}|{role}|{name}"))
}
