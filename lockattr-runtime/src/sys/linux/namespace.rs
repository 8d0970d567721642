//! Namespaces (namespaces(7)): how far names, pids and times mean the same.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;

use nix::libc;
use socket2::Socket;

use crate::sys::pidfd::Pidfd;

/// The inodes of this process's pid namespace and time namespace; 0 where one is not known.
///
/// A process keeps its pid namespace for as long as it lives. `proc_is_own` tells whether `/proc` shows
/// this process. Where it does not, or is not there, a descriptor of the process tells (`pidfd_open(2)`,
/// its ioctls since Linux 6.11).
pub(crate) fn of_pids_and_time(proc_is_own: bool) -> (u64, u64) {
    /// `linux/pidfd.h`.
    const PIDFD_GET_PID_NAMESPACE: libc::Ioctl = libc::_IO(0xff, 5);
    const PIDFD_GET_TIME_NAMESPACE: libc::Ioctl = libc::_IO(0xff, 7);

    if proc_is_own {
        let found = (
            of_this_thread("/proc/thread-self/ns/pid"),
            of_this_thread("/proc/thread-self/ns/time"),
        );
        if found.0 != 0 {
            return found;
        }
    }
    let Ok(process) = Pidfd::open(std::process::id()) else { return (0, 0) };
    (of_process(&process, PIDFD_GET_PID_NAMESPACE), of_process(&process, PIDFD_GET_TIME_NAMESPACE))
}

fn of_this_thread(link: &str) -> u64 {
    fs::metadata(link).map_or(0, |file| file.ino())
}

fn of_process(process: &Pidfd, namespace: libc::Ioctl) -> u64 {
    // SAFETY: these ioctls take no argument, and make a descriptor that nobody else knows of. An older
    // kernel refuses them.
    let descriptor = unsafe { libc::ioctl(process.as_fd().as_raw_fd(), namespace, 0) };
    if descriptor < 0 {
        return 0;
    }
    // SAFETY: the call has made it, and it is open.
    let file = unsafe { File::from_raw_fd(descriptor) };
    file.metadata().map_or(0, |file| file.ino())
}

/// Which network namespace a socket belongs to: how far its abstract address reaches.
///
/// A number for the record. A namespace belongs to a thread, and a thread may change it at any time
/// (`setns(2)`); a socket keeps the one that it was made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network(u64);

impl Network {
    /// Numbers of the two kinds are not compared.
    const IS_INODE: u64 = 1 << 63;

    /// That of a socket which the calling thread has just made or received.
    pub(crate) fn of(socket: &Socket) -> Self {
        match cookie(socket) {
            Some(cookie) => Self(cookie & !Self::IS_INODE),
            // Before Linux 5.14: the calling thread's. 0 where `/proc` does not tell.
            None => match of_this_thread("/proc/thread-self/ns/net") {
                0 => Self(0),
                inode => Self(inode | Self::IS_INODE),
            },
        }
    }

    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// Whether both are known, and are two namespaces.
    pub(crate) fn differs_from(self, other: Self) -> bool {
        self.is_comparable_to(other) && self != other
    }

    /// Whether both are known, and are one namespace.
    pub(crate) fn is(self, other: Self) -> bool {
        self.is_comparable_to(other) && self == other
    }

    fn is_comparable_to(self, other: Self) -> bool {
        self.0 != 0 && other.0 != 0 && (self.0 ^ other.0) & Self::IS_INODE == 0
    }
}

/// `SO_NETNS_COOKIE` (Linux 5.14): a number that no other network namespace has had since the boot.
fn cookie(socket: &Socket) -> Option<u64> {
    /// `asm/socket.h`.
    const SO_NETNS_COOKIE: libc::c_int =
        if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) { 0x50 } else { 71 };

    let mut cookie = 0_u64;
    let mut length = 8;
    // SAFETY: the pointers are to a number of 8 bytes, as the option has, and to its length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            std::ptr::addr_of_mut!(cookie).cast(),
            &mut length,
        )
    };
    (result == 0 && length == 8).then_some(cookie)
}

#[cfg(test)]
mod tests {
    use socket2::{Domain, Type};

    use super::*;

    #[test]
    fn both_ways_to_tell_the_namespaces_of_this_process_agree() {
        let by_proc = of_pids_and_time(true);
        assert!(by_proc.0 != 0 && by_proc.1 != 0);
        let by_descriptor = of_pids_and_time(false);
        // Older kernels do not tell.
        assert!([by_proc, (0, 0)].contains(&by_descriptor), "{by_descriptor:?}");
    }

    #[test]
    fn sockets_of_one_thread_share_a_network_namespace() {
        let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let (one, other) = (Network::of(&socket()), Network::of(&socket()));
        assert!(one.is(other) && !one.differs_from(other));
    }

    #[test]
    fn what_is_not_known_is_neither_the_same_nor_another() {
        let cookie = Network::from_word(7);
        for unknown in [Network::from_word(0), Network::from_word(7 | Network::IS_INODE)] {
            assert!(!cookie.is(unknown) && !cookie.differs_from(unknown));
        }
        assert!(!Network::from_word(0).is(Network::from_word(0)));
    }
}
