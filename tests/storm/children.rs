//! What a process does to itself: children of each kind, and signals.

use std::process::Command;
use std::ptr;

use nix::libc;
use nix::sys::signal::{sigaction, SaFlags, SigAction, SigHandler, SigSet, Signal};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::{fork, ForkResult, Pid};

use crate::support::raw_clone;

/// The children of one thread that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Children(Vec<Pid>);

impl Children {
    /// Whether this is the child.
    pub(crate) fn fork(&mut self) -> bool {
        // SAFETY: the child is a process of its own to the locks, which is under test. It runs nothing that
        // another thread of this process may have been inside of, but the allocator, which glibc prepares.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => true,
            ForkResult::Parent { child } => {
                self.0.push(child);
                false
            }
        }
    }

    /// A child made without at-fork handlers, which has copies of all descriptors for a few milliseconds.
    pub(crate) fn copy(&mut self) {
        // SAFETY: as a fork. The child sleeps and ends.
        let child = unsafe { raw_clone::clone(0) };
        if child == 0 {
            // SAFETY: no more than system calls.
            unsafe {
                libc::usleep(3_000);
                libc::_exit(0);
            }
        }
        assert!(child > 0, "{}", std::io::Error::last_os_error());
        self.0.push(Pid::from_raw(child.try_into().unwrap()));
    }

    /// Runs a program, whose process has copies of all descriptors until it executes it.
    pub(crate) fn spawn() {
        assert!(Command::new("/bin/true").status().unwrap().success());
    }

    /// Looks after those that have ended.
    pub(crate) fn reap(&mut self) {
        self.0.retain(|child| match waitpid(*child, Some(WaitPidFlag::WNOHANG)).unwrap() {
            WaitStatus::StillAlive => true,
            WaitStatus::Exited(_, 0) => false,
            other => panic!("a child ended with {other:?}"),
        });
    }
}

/// `setitimer(ITIMER_REAL)`: a timer that a child does not inherit, and a program that is executed does.
fn set_timer(micros: u16) {
    let interval = libc::timeval { tv_sec: 0, tv_usec: micros.into() };
    let timer = libc::itimerval { it_interval: interval, it_value: interval };
    // SAFETY: the timer lives while the call does.
    assert_eq!(unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, ptr::null_mut()) }, 0);
}

fn handle(handler: SigHandler) {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGALRM, &action) }.unwrap();
}

/// System calls end with `EINTR` again and again (no `SA_RESTART`).
pub(crate) fn interrupt_every_millisecond() {
    extern "C" fn nothing(_: libc::c_int) {}

    handle(SigHandler::Handler(nothing));
    set_timer(1_000);
}

/// Before another program is executed: a signal would end it before it handles one.
pub(crate) fn interrupt_no_more() {
    set_timer(0);
    handle(SigHandler::SigIgn);
}

/// Ends a child, with nothing that its parent would have done at its end.
pub(crate) fn end(is_well: bool) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit((!is_well).into()) }
}
