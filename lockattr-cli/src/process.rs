//! Which process a pid means (proc(5)).

use std::fs;

use nix::unistd::{Uid, User};

/// When the process `pid` started, in clock ticks after the boot: with the pid it names one process for
/// ever. None if it does not run.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    // As the thread that it began with: qemu-user tells a program another start time of itself elsewhere.
    field(&format!("/proc/{pid}/task/{pid}/stat"), 22)?.parse().ok()
}

/// The parent of the process `pid`; 0 if it has none in this pid namespace.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    field(&format!("/proc/{pid}/stat"), 4)?.parse().ok()
}

/// What the process `pid` is called.
pub(crate) fn command(pid: u32) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
}

/// A field of a `stat`, counted from 1.
fn field(path: &str, number: usize) -> Option<String> {
    let line = fs::read(path).ok()?;
    // `pid (command) state …`: the command may hold anything, parentheses too.
    let end_of_command = line.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(&line[end_of_command + 1..]).ok()?;
    fields.split_ascii_whitespace().nth(number - 3).map(str::to_owned) // the first of these is field 3
}

/// The name of a user; none if no user has this uid.
pub(crate) fn user(uid: u32) -> Option<String> {
    Some(User::from_uid(Uid::from_raw(uid)).ok()??.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_has_a_start_time_and_a_parent() {
        let this = std::process::id();
        assert!(start_time(this).is_some_and(|time| time > 0));
        assert_eq!(start_time(u32::MAX), None);
        assert_eq!(parent(this), Some(std::os::unix::process::parent_id()));
    }
}
