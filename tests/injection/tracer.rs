//! A tracer that lets one system call of a process fail, or lets the process die there (ptrace(2)).

use nix::libc;
use nix::sys::signal::Signal;
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::Pid;

/// What happens to one system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails with this error, and does nothing. (`close` does what it does: it never fails without.)
    Error(i32),
    /// The process is killed when it makes it.
    Death,
}

impl Fault {
    /// Whether a system call can end so.
    fn may_be_of(self, call: i64) -> bool {
        /// Calls that have no error to give.
        const NEVER_FAIL: [i64; 6] = [
            libc::SYS_getpid,
            libc::SYS_gettid,
            libc::SYS_getuid,
            libc::SYS_geteuid,
            libc::SYS_getgid,
            libc::SYS_sched_yield,
        ];

        match self {
            Self::Error(_) if NEVER_FAIL.contains(&call) => false,
            // The standard library panics where a folder's descriptor is not closed, but for this one.
            Self::Error(error) if call == libc::SYS_close => error == libc::EINTR,
            _ => true,
        }
    }
}

/// The call that a [`Fault`] is to happen to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// How many calls between two stops go before it.
    pub(crate) index: usize,
    pub(crate) fault: Fault,
}

/// How far a process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It has stopped itself.
    Stopped,
    Ended(WaitStatus),
}

/// A process of which one thread is traced, by the thread that has made this one.
#[derive(Debug)]
pub(crate) struct Traced {
    process: Pid,
    thread: Pid,
    target: Option<Target>,
    /// How many calls it has made between its stops.
    pub(crate) calls: usize,
    /// The number of the call that the fault has happened to.
    pub(crate) hit: Option<i64>,
}

/// The number of the calling thread.
pub(crate) fn thread() -> i32 {
    // SAFETY: takes nothing and gives a number.
    unsafe { libc::gettid() }
}

/// Stops the calling thread, for its tracer.
pub(crate) fn stop() {
    // SAFETY: sends a signal to this thread. Not by `raise`, which makes other calls, too.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread(), libc::SIGSTOP) };
}

/// Lets the parent trace this process where a security module asks for it (`yama`).
pub(crate) fn may_be_traced() {
    // SAFETY: takes and gives numbers only.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY) };
}

#[cfg(not(target_env = "musl"))]
type Request = libc::c_uint;
#[cfg(target_env = "musl")]
type Request = libc::c_int;

fn trace(request: Request, process: Pid, address: usize, data: usize) -> bool {
    // SAFETY: none of the requests here writes to this process's memory.
    unsafe { libc::ptrace(request, process.as_raw(), address, data) == 0 }
}

/// Where a register is in the `struct user` of ptrace(2).
fn offset(register: usize) -> usize {
    register * std::mem::size_of::<libc::c_ulong>()
}

impl Traced {
    /// Traces a thread that stops itself soon. None where this process may trace none.
    pub(crate) fn seize(process: u32, thread: &str) -> Option<Self> {
        let process = Pid::from_raw(process.try_into().unwrap());
        let thread = Pid::from_raw(thread.parse().unwrap());
        let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
        let is_traced = trace(libc::PTRACE_SEIZE, thread, 0, options.try_into().unwrap());
        is_traced.then_some(Self { process, thread, target: None, calls: 0, hit: None })
    }

    /// From now on `target` is what a fault happens to, counted from the next call that is looked at.
    pub(crate) fn aim(&mut self, target: Option<Target>) {
        (self.target, self.calls, self.hit) = (target, 0, None);
    }

    /// Waits for its first stop.
    pub(crate) fn wait(&self) {
        assert_eq!(self.wait_for_stop(), Some(Stop::Stopped));
    }

    /// Lets it run to its next stop, with nothing looked at.
    pub(crate) fn run(&mut self) -> Stop {
        loop {
            assert!(trace(libc::PTRACE_CONT, self.thread, 0, 0));
            if let Some(stop) = self.wait_for_stop() {
                return stop;
            }
        }
    }

    /// Lets it run to its next stop, from system call to system call.
    pub(crate) fn run_by_calls(&mut self) -> Stop {
        let mut replacement = None;
        loop {
            assert!(trace(libc::PTRACE_SYSCALL, self.thread, 0, 0));
            if let Some(stop) = self.wait_for_stop() {
                return stop;
            }
            match (self.enters(), replacement.take()) {
                (Some(call), _) if call != libc::SYS_tgkill => {
                    let target = self.target.filter(|target| {
                        target.index == self.calls && target.fault.may_be_of(call)
                    });
                    self.calls += 1;
                    if let Some(target) = target {
                        self.hit = Some(call);
                        match target.fault {
                            Fault::Error(error) => {
                                if call != libc::SYS_close {
                                    self.skip_call();
                                }
                                replacement = Some(error);
                            }
                            Fault::Death => return self.kill(),
                        }
                    }
                }
                (None, Some(error)) => self.set_result(-i64::from(error)),
                _ => {}
            }
        }
    }

    fn kill(&self) -> Stop {
        // It may have ended.
        let _ = nix::sys::signal::kill(self.process, Signal::SIGKILL);
        loop {
            match waitpid(self.thread, Some(WaitPidFlag::__WALL)) {
                Ok(status @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..))) => {
                    return Stop::Ended(status);
                }
                Ok(_) => {}
                // It has been waited for before.
                Err(_) => return Stop::Ended(WaitStatus::StillAlive),
            }
        }
    }

    /// None for a stop at a system call, or at a signal that is no stop.
    fn wait_for_stop(&self) -> Option<Stop> {
        match waitpid(self.thread, Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::PtraceSyscall(_) => None,
            WaitStatus::Stopped(_, Signal::SIGSTOP) => Some(Stop::Stopped),
            status @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => {
                Some(Stop::Ended(status))
            }
            // `SIGABRT` and the like end it all the same, at once.
            WaitStatus::Stopped(_, signal) => {
                let signal = usize::try_from(signal as i32).unwrap();
                assert!(trace(libc::PTRACE_CONT, self.thread, 0, signal));
                self.wait_for_stop()
            }
            other => panic!("{other:?}"),
        }
    }

    /// The call that it is about to make, none if it has just made one.
    fn enters(&self) -> Option<i64> {
        /// ptrace(2); for musl, `libc` has none of it.
        const PTRACE_GET_SYSCALL_INFO: Request = 0x420e;
        const PTRACE_SYSCALL_INFO_ENTRY: u8 = 1;
        /// Where the number of the call is in `struct ptrace_syscall_info`, as a word of 64 bits.
        const NR: usize = 3;

        let mut info = [0_u64; 11];
        let size = std::mem::size_of_val(&info);
        // SAFETY: the kernel writes `size` bytes at most to where the words are (ptrace(2)).
        let written = unsafe {
            libc::ptrace(PTRACE_GET_SYSCALL_INFO, self.thread.as_raw(), size, info.as_mut_ptr())
        };
        if written < 0 {
            return None; // it has been killed
        }
        let [operation, ..] = info[0].to_ne_bytes();
        (operation == PTRACE_SYSCALL_INFO_ENTRY).then(|| info[NR].try_into().unwrap())
    }

    fn skip_call(&self) {
        const ORIG_RAX: usize = 15;

        assert!(trace(libc::PTRACE_POKEUSER, self.thread, offset(ORIG_RAX), usize::MAX));
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a register's bits
    fn set_result(&self, result: i64) {
        const RAX: usize = 10;

        assert!(trace(libc::PTRACE_POKEUSER, self.thread, offset(RAX), result as usize));
    }
}

/// A process cannot be waited for while a thread of it is a zombie that its tracer has not waited for.
impl Drop for Traced {
    fn drop(&mut self) {
        self.kill();
    }
}
