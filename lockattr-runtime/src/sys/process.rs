//! Which process this is, and whether another one still runs (proc(5)).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::kill;
use nix::unistd::{geteuid, Pid};

use super::fork;

/// The bytes of a command's name with its NUL (`TASK_COMM_LEN` in the kernel).
pub(crate) const COMMAND_BYTES: usize = 16;

/// What tells a process from every other, also from a later one with the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Clock ticks after the boot at which it started: field 22 of `/proc/PID/stat`.
    pub(crate) start_time: u64,
    /// Where its pid and its start time can be compared with others': the inodes of its pid namespace
    /// (lower half) and of its time namespace (upper half, `time_namespaces(7)`: the start times in
    /// `/proc` are shifted by it). 0 where that is not known.
    pub(crate) pid_space: u64,
    /// The inode of its network namespace: abstract addresses reach no further.
    pub(crate) network_namespace: u64,
    pub(crate) uid: u32,
    /// Where its stack begins (field 28 of `/proc/PID/stat`): a program that takes the process over by
    /// `exec` has another one, as addresses are random. 0 where it is not known.
    pub(crate) image: u64,
    /// Its command's name, padded with NULs.
    pub(crate) command: [u8; COMMAND_BYTES],
}

impl Process {
    /// This process. Where `/proc` is not mounted, what it would tell is 0.
    ///
    /// # Errors
    /// As [`fork::gate`].
    pub(crate) fn this() -> io::Result<Self> {
        Ok(*fork::gate()?.process())
    }

    pub(super) fn read() -> Self {
        let pid = std::process::id();
        let namespace = |kind| {
            fs::metadata(format!("/proc/thread-self/ns/{kind}")).map_or(0, |file| file.ino())
        };
        // The `/proc` of another pid namespace, as after `unshare --pid`, has others under these pids.
        let is_own = fs::read_link("/proc/self")
            .is_ok_and(|link| link.as_os_str().to_str() == Some(&pid.to_string()));
        let pid_space = if is_own { namespace("pid") | namespace("time") << 32 } else { 0 };
        let mut name = [0; COMMAND_BYTES];
        for (to, from) in name.iter_mut().zip(command(pid).unwrap_or_default().bytes()) {
            *to = from;
        }
        let status = status(pid);
        Self {
            pid,
            start_time: status.map_or(0, |status| status.start_time),
            pid_space,
            network_namespace: namespace("net"),
            uid: geteuid().as_raw(),
            image: status.map_or(0, |status| status.image),
            command: name,
        }
    }
}

/// Whether the process `pid` that started at `start_time` can still run. A zombie cannot, whatever
/// its pid is still good for. Where `/proc` hides the process (`hidepid`, proc(5)), only its pid
/// tells.
pub(crate) fn is_alive(pid: u32, start_time: u64) -> bool {
    is_alive_as(pid, |status| status.start_time == start_time)
}

/// As [`is_alive`], for a process of which it is known whether it can have this status.
pub(crate) fn is_alive_as(pid: u32, can_be: impl FnOnce(Status) -> bool) -> bool {
    match status(pid) {
        Some(status) => status.runs && can_be(status),
        None => i32::try_from(pid)
            .is_ok_and(|pid| kill(Pid::from_raw(pid), None) != Err(nix::Error::ESRCH)),
    }
}

/// Whether a process of this pid can still run.
pub(crate) fn runs(pid: u32) -> bool {
    is_alive_as(pid, |_| true)
}

/// Whether the process `pid` is stopped, by a signal or a debugger.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let Ok(line) = fs::read(format!("/proc/{pid}/stat")) else { return false };
    let end_of_command = line.iter().rposition(|&byte| byte == b')');
    end_of_command.is_some_and(|end| matches!(line.get(end + 2), Some(b'T' | b't')))
}

/// The name of a process's command.
pub(crate) fn command(pid: u32) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned())
}

/// The user a process runs as.
pub(crate) fn uid(pid: u32) -> Option<u32> {
    fs::metadata(format!("/proc/{pid}")).ok().map(|folder| folder.uid())
}

/// What `/proc` tells of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) start_time: u64,
    /// See [`Process::image`]. 0 where this process may not see it (ptrace(2), "access mode checking").
    pub(crate) image: u64,
    runs: bool,
}

fn status(pid: u32) -> Option<Status> {
    parse_status(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads `pid (command) state …`; the command may hold anything, parentheses too, so what counts is
/// the last one.
fn parse_status(line: &[u8]) -> Option<Status> {
    let end_of_command = line.iter().rposition(|&byte| byte == b')')?;
    let mut fields =
        std::str::from_utf8(&line[end_of_command + 1..]).ok()?.split_ascii_whitespace();
    let state = fields.next()?; // field 3
    let threads: u32 = fields.nth(20 - 4)?.parse().ok()?;
    let start_time = fields.nth(22 - 21)?.parse().ok()?;
    let image = fields.nth(28 - 23).and_then(|image| image.parse().ok()).unwrap_or(0);
    // A process whose first thread has ended is shown as a zombie, while others run.
    let runs = threads > 1 || !matches!(state, "Z" | "X" | "x");
    Some(Status { start_time, image, runs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_a_later_one_with_its_pid_would_not_be_it() {
        let this = Process::this().unwrap();
        assert_eq!(this.pid, std::process::id());
        assert!(is_alive(this.pid, this.start_time));
        assert!(!is_alive(this.pid, this.start_time + 1));
        assert!(this.image != 0 && status(this.pid).unwrap().image == this.image);
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let start_time = status(child.id()).map(|status| status.start_time);
        // It is a zombie as soon as its end of a pipe would close; waiting without reaping:
        nix::sys::wait::waitid(
            nix::sys::wait::Id::Pid(nix::unistd::Pid::from_raw(child.id().try_into().unwrap())),
            nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT,
        )
        .unwrap();
        assert!(!is_alive(child.id(), start_time.unwrap()));
        child.wait().unwrap();
    }

    #[test]
    fn a_command_with_parentheses_does_not_shift_the_fields() {
        let line = b"7 (a) Z 1 (b)) S 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1 9 2 3 815 5";
        let status = parse_status(line).unwrap();
        assert_eq!((status.start_time, status.image), (4711, 815));
        assert!(status.runs);
        let ended = b"7 (a) Z 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1";
        assert!(!parse_status(ended).unwrap().runs);
        let first_thread_ended = b"7 (a) Z 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 2 0 4711 1 1";
        assert!(parse_status(first_thread_ended).unwrap().runs);
        assert!(parse_status(b"7 (a) S 1").is_none());
        assert!(parse_status(b"\xff").is_none());
    }
}
