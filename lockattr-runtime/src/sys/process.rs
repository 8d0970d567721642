//! Which process this is, and whether another one still runs (proc(5)).

use std::sync::atomic::{AtomicU32, Ordering};

use super::generation::OncePerProcess;
use super::{errno, ids, namespace, procfs};

/// The bytes of a command's name with its NUL (`TASK_COMM_LEN` in the kernel).
pub(crate) const COMMAND_BYTES: usize = 16;

/// This process. What can change while it runs, as its user and its network namespace, is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) identity: Identity,
    /// 128 bits that the kernel gives to each program it executes (`AT_RANDOM`, getauxval(3)), folded:
    /// what tells this program from one that ran in this process before `exec`. 0 where it is not known.
    pub(crate) random: u64,
    /// Its command's name, padded with NULs.
    pub(crate) command: [u8; COMMAND_BYTES],
    /// Nothing more can be found out. Otherwise a descriptor or memory was short, and what is not known may
    /// be found out by the next look.
    pub(crate) is_final: bool,
}

/// What tells a process from every other, also from a later one with the same pid. What is not known
/// is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    /// Where its pid means something: the inode of its pid namespace.
    pub(crate) pid_namespace: u64,
    /// Clock ticks after the boot at which it started: field 22 of `/proc/PID/stat`.
    pub(crate) start_time: u64,
    /// Where its start time means something: the inode of its time namespace, by whose offset the kernel
    /// shifts start times (`time_namespaces(7)`).
    pub(crate) time_namespace: u64,
    /// Where its code and its stack begin, folded: a program that takes the process over by `exec` has
    /// others, unless addresses are not random (personality(2)).
    pub(crate) image: u64,
}

impl Process {
    /// This process.
    #[inline]
    pub(crate) fn this() -> &'static Self {
        static THIS: OncePerProcess<Process> = OncePerProcess::new();

        THIS.get_or_retry(Self::read, |this| this.is_final)
    }

    fn read() -> Self {
        let pid = std::process::id();
        let mut is_final = true;
        let mut read = |file: &str| match procfs::read(pid, file) {
            Ok(content) => Some(content),
            Err(error) => {
                let is_short = [errno::EMFILE, errno::ENFILE, errno::ENOMEM].map(Some);
                is_final &= !is_short.contains(&error.raw_os_error());
                None
            }
        };
        let command = read("comm");
        let status = read(&format!("task/{pid}/stat")).and_then(|line| parse_status(&line));
        let mut name = [0; COMMAND_BYTES];
        for (to, from) in name.iter_mut().zip(command.iter().flatten()) {
            *to = if *from == b'\n' { 0 } else { *from };
        }
        let (pid_namespace, time_namespace) = namespace::of_pids_and_time(procfs::is_own());
        Self {
            identity: Identity {
                pid,
                pid_namespace,
                start_time: status.map_or(0, |status| status.start_time),
                time_namespace,
                image: status.map_or(0, |status| status.image),
            },
            random: ids::random(),
            command: name,
            is_final,
        }
    }
}

/// The user that this process runs as, or this thread (credentials(7)).
pub(crate) fn effective_uid() -> u32 {
    let uid = ids::effective_uid();
    LAST_UID.store(uid, Ordering::Relaxed);
    uid
}

/// As [`effective_uid`], as it was found last: without a system call.
pub(crate) fn last_effective_uid() -> u32 {
    match LAST_UID.load(Ordering::Relaxed) {
        u32::MAX => effective_uid(),
        uid => uid,
    }
}

/// No user has this number (setresuid(2)).
static LAST_UID: AtomicU32 = AtomicU32::new(u32::MAX);

impl Identity {
    /// Whether pids mean the same to both processes.
    pub(crate) fn shares_pids_with(&self, other: &Self) -> bool {
        self.pid_namespace != 0 && self.pid_namespace == other.pid_namespace
    }

    /// Whether this program can still run, as `this` process can tell. A zombie cannot, whatever its pid
    /// is still good for, and a program that was replaced by `exec` cannot either. When in doubt it can.
    pub(crate) fn can_run(&self, this: &Process) -> bool {
        let this = &this.identity;
        if !self.shares_pids_with(this) {
            return true; // its pid means nothing here
        }
        let shares_time = self.time_namespace != 0 && self.time_namespace == this.time_namespace;
        can_run(self.pid, |status| {
            let began = !shares_time
                || [0, status.start_time].contains(&self.start_time)
                || status.start_time == 0
                || !this.tells_the_time();
            began && ([0, status.image].contains(&self.image) || status.image == 0)
        })
    }

    /// Whether start times mean the same still to this process, whose identity it is: it may have entered
    /// another time namespace since (setns(2)), and sees another one of itself then.
    pub(crate) fn tells_the_time(&self) -> bool {
        status(self.pid).is_some_and(|status| status.start_time == self.start_time)
    }
}

/// Whether the process `pid` can still run, if its status `can_be` the one in question. Where `/proc`
/// does not show it (`hidepid`, proc(5); or there is none), only its pid tells.
pub(crate) fn can_run(pid: u32, can_be: impl FnOnce(Status) -> bool) -> bool {
    match status(pid) {
        Some(status) => status.runs && can_be(status),
        None => !ids::is_gone(pid),
    }
}

/// Whether a process of this pid can still run.
pub(crate) fn runs(pid: u32) -> bool {
    can_run(pid, |_| true)
}

/// Whether the process `pid` is stopped, by a signal or a debugger.
pub(crate) fn is_stopped(pid: u32) -> bool {
    status(pid).is_some_and(|status| status.is_stopped)
}

/// The name of a process's command.
pub(crate) fn command(pid: u32) -> Option<String> {
    let name = procfs::read(pid, "comm").ok()?;
    Some(String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned())
}

/// What `/proc` tells of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) start_time: u64,
    /// See [`Identity::image`]. 0 where this process may not see it (ptrace(2), "access mode checking").
    pub(crate) image: u64,
    runs: bool,
    is_stopped: bool,
}

pub(crate) fn status(pid: u32) -> Option<Status> {
    // As the thread that it began with: what qemu-user tells a program of itself in `/proc/PID/stat` is
    // not what others read there.
    parse_status(&procfs::read(pid, &format!("task/{pid}/stat")).ok()?)
}

/// Reads `pid (command) state …`; the command may hold anything, parentheses too, so what counts is
/// the last one.
fn parse_status(line: &[u8]) -> Option<Status> {
    const FIRST: usize = 3; // of the fields, as proc(5) counts them
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15; // spreads the few bits that are random

    let end_of_command = line.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(&line[end_of_command + 1..]).ok()?.split_ascii_whitespace();
    let fields: Vec<&str> = fields.take(28 + 1 - FIRST).collect();
    let number = |field: usize| fields.get(field - FIRST)?.parse::<u64>().ok();
    let (state, threads) = (*fields.first()?, number(20)?);
    let (code, stack) = (number(26).unwrap_or(0), number(28).unwrap_or(0));
    Some(Status {
        start_time: number(22)?,
        // Who may not see the stack is told of none (0), and of code at 1.
        image: if stack == 0 { 0 } else { (stack.wrapping_mul(ODD) ^ code).max(1) },
        // A process whose first thread has ended is shown as a zombie, while others run.
        runs: threads > 1 || !matches!(state, "Z" | "X" | "x"),
        is_stopped: matches!(state, "T" | "t"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn this_process_runs_and_a_later_one_with_its_pid_would_not_be_it() {
        let this = Process::this();
        let identity = this.identity;
        assert_eq!(identity.pid, std::process::id());
        assert!(identity.image != 0 && status(identity.pid).unwrap().image == identity.image);
        assert!(identity.pid_namespace != 0 && identity.time_namespace != 0 && this.random != 0);
        assert!(identity.can_run(this));
        let later = Identity { start_time: identity.start_time + 1, ..identity };
        assert!(!later.can_run(this));
        let replaced = Identity { image: identity.image + 1, ..identity };
        assert!(!replaced.can_run(this));
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn what_cannot_be_compared_is_no_sign_of_death() {
        let this = Process::this();
        let identity = this.identity;
        for doubtful in [
            Identity { pid_namespace: 0, pid: 4_000_000, ..identity },
            Identity { pid_namespace: 1, pid: 4_000_000, ..identity },
            Identity { time_namespace: 0, start_time: 1, ..identity },
            Identity { time_namespace: 1, start_time: 1, ..identity },
            Identity { start_time: 0, ..identity },
            Identity { image: 0, ..identity },
        ] {
            assert!(doubtful.can_run(this), "{doubtful:?}");
        }
        // Nobody has this pid, whatever time it was started by.
        let gone = Identity { time_namespace: 1, pid: 4_194_303, ..identity };
        assert!(!gone.can_run(this));
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_zombie_does_not_run() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let start_time = status(child.id()).unwrap().start_time;
        // It is a zombie as soon as its end of a pipe would close; waiting without reaping:
        nix::sys::wait::waitid(
            nix::sys::wait::Id::Pid(nix::unistd::Pid::from_raw(child.id().try_into().unwrap())),
            nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT,
        )
        .unwrap();
        let identity =
            Identity { pid: child.id(), start_time, image: 0, ..Process::this().identity };
        assert!(!identity.can_run(Process::this()));
        child.wait().unwrap();
    }

    #[test]
    fn a_command_with_parentheses_does_not_shift_the_fields() {
        let line = b"7 (a) Z 1 (b)) S 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1 9 2 3 815 5 6";
        let parsed = parse_status(line).unwrap();
        assert_eq!(parsed.start_time, 4711);
        assert!(parsed.runs && parsed.image != 0);
        let elsewhere = b"7 (a) S 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1 9 2 3 816 5 6";
        assert_ne!(parse_status(elsewhere).unwrap().image, parsed.image);
        let hidden = b"7 (a) S 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1 9 1 1 0 0 0";
        assert_eq!(parse_status(hidden).unwrap().image, 0);
        let ended = b"7 (a) Z 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1";
        assert!(!parse_status(ended).unwrap().runs);
        let first_thread_ended = b"7 (a) Z 1 1 1 0 -1 4 1 0 0 0 0 0 0 0 20 0 2 0 4711 1 1";
        assert!(parse_status(first_thread_ended).unwrap().runs);
        assert!(parse_status(b"7 (a) S 1").is_none());
        assert!(parse_status(b"\xff").is_none());
    }
}
