//! A process, held by a descriptor: what it says of the process's end no later process of the same pid can
//! spoil (`pidfd_open(2)`, Linux 5.3).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::libc;

use crate::sys::poll::is_readable;

#[derive(Debug)]
pub(crate) struct Pidfd(OwnedFd);

impl Pidfd {
    /// The process that has this pid now.
    pub(crate) fn open(pid: u32) -> io::Result<Self> {
        const NO_FLAGS: libc::c_uint = 0; // it is close-on-exec always

        // SAFETY: the call takes two numbers, and makes a descriptor.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, NO_FLAGS) };
        match libc::c_int::try_from(fd) {
            // SAFETY: the kernel has just made it for this caller.
            Ok(fd) if fd >= 0 => Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) })),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Whether no thread of it is left, reaped or not. True where that cannot be told.
    pub(crate) fn has_ended(&self) -> bool {
        is_readable(self)
    }
}

impl AsFd for Pidfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::wait_readable;

    #[test]
    fn a_process_has_ended_before_it_is_reaped_and_after() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let process = Pidfd::open(child.id()).unwrap();
        assert!(!process.has_ended());
        child.kill().unwrap();
        while !process.has_ended() {
            wait_readable(&process, None).unwrap();
        }
        assert!(process.has_ended());
        child.wait().unwrap();
        assert!(process.has_ended());
        assert!(Pidfd::open(4_194_303).is_err());
    }
}
