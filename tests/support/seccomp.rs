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
    forbid(call, None, libc::EPERM);
    let error = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "role", "--nocapture", "--test-threads=1"])
        .env("LOCKATTR_TEST_ROLE", role)
        .env("LOCKATTR_TEST_ARGUMENT", name)
        .exec();
    panic!("{error}");
}

/// From here on `call` fails with `error` where its first argument is `first`, if one is given.
pub fn forbid(call: libc::c_long, first: Option<i32>, error: i32) {
    /// `struct seccomp_data`: the number, the architecture, the instruction pointer, the arguments.
    const FIRST_ARGUMENT: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };

    let statement =
        |code: u32, jt, jf, k: u32| libc::sock_filter { code: code.try_into().unwrap(), jt, jf, k };
    let load = |offset| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let unless = |jf, value| statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, jf, value);
    let end = |value| statement(libc::BPF_RET | libc::BPF_K, 0, 0, value);
    let mut filter = vec![load(0)];
    match first {
        Some(first) => filter.extend([
            unless(3, call.try_into().unwrap()),
            load(FIRST_ARGUMENT),
            unless(1, first.try_into().unwrap()),
        ]),
        None => filter.push(unless(1, call.try_into().unwrap())),
    }
    let error: u32 = error.try_into().unwrap();
    filter.extend([end(libc::SECCOMP_RET_ERRNO | error), end(libc::SECCOMP_RET_ALLOW)]);
    let length = filter.len().try_into().unwrap();
    let program = libc::sock_fprog { len: length, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its statements live through the calls.
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
