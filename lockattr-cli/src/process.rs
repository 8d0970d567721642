//! Which process a pid means (proc(5)).

use std::fs;

use nix::unistd::{Uid, User};

/// When the process `pid` started, in clock ticks after the boot: with the pid it names one process for
/// ever. None if it does not run.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    // As the thread that it began with: qemu-user tells a program another start time of itself elsewhere.
    let line = fs::read(format!("/proc/{pid}/task/{pid}/stat")).ok()?;
    // `pid (command) state …`: the command may hold anything, parentheses too.
    let end_of_command = line.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(&line[end_of_command + 1..]).ok()?;
    fields.split_ascii_whitespace().nth(22 - 3)?.parse().ok() // the first of these is field 3
}

/// The name of a user; none if nobody has this uid.
pub(crate) fn user(uid: u32) -> Option<String> {
    Some(User::from_uid(Uid::from_raw(uid)).ok()??.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_has_a_start_time() {
        assert!(start_time(std::process::id()).is_some_and(|time| time > 0));
        assert_eq!(start_time(u32::MAX), None);
    }
}
