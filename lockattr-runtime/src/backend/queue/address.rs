//! The abstract addresses of queues and of those that wait in them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};

use socket2::SockAddr;

use crate::name::{digest, PORT_PREFIX};
use crate::sys::socket::abstract_address;

/// The bytes of `sun_path` (unix(7)), less the leading NUL.
const LIMIT: usize = 107;

/// What the addresses of waiters begin with. `/proc/net/unix` shows who waits for what:
/// `@/portwait/PID.NUMBER/LOCK` for a port lock, `@/semwait/…` for a semaphore, `@/tcpwait/…` for a TCP lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiters(&'static str);

impl Waiters {
    pub(super) const PORT: Self = Self("/portwait/");
    pub(super) const SEMAPHORE: Self = Self("/semwait/");
    pub(super) const TCP: Self = Self("/tcpwait/");

    /// An address for a waiter of the lock `name`: another one at each call. Another process can have
    /// bound it all the same (one of the same pid in another pid namespace): then ask for an odd one.
    pub(super) fn next(self, name: &str) -> SockAddr {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);

        self.numbered(name, NUMBERS.fetch_add(1, Ordering::Relaxed))
    }

    /// As [`next`](Self::next), with a number that nobody can foresee and bind before.
    pub(super) fn odd_one(self, name: &str) -> SockAddr {
        let random = RandomState::new().build_hasher().finish();
        #[allow(clippy::cast_possible_truncation)] // any 32 bits of it
        self.numbered(name, random as u32)
    }

    fn numbered(self, name: &str, number: u32) -> SockAddr {
        let Self(prefix) = self;
        let mut address = format!("{prefix}{}.{number}/", std::process::id());
        let room = LIMIT - address.len();
        if name.len() <= room {
            address.push_str(name);
        } else {
            let digest = format!("~{:016x}", digest(name));
            let mut end = room - digest.len();
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            address.push_str(&name[..end]);
            address.push_str(&digest);
        }
        fitting(address.as_bytes())
    }

    /// Whether the other end of a connection is one of these: a process at another address, or at none,
    /// only watches and is handed nothing.
    pub(super) fn include(self, address: &SockAddr) -> bool {
        address.as_abstract_namespace().is_some_and(|name| name.starts_with(self.0.as_bytes()))
    }
}

/// The address that is the port lock `name`. The name has been checked, so it fits.
pub(super) fn of_port(name: &str) -> SockAddr {
    fitting(&bytes_of_port(name))
}

/// A port lock's address without its leading NUL.
pub(in crate::backend) fn bytes_of_port(name: &str) -> Vec<u8> {
    [PORT_PREFIX.as_bytes(), name.as_bytes()].concat()
}

/// The address where those queue that wait for the semaphore `name`, whose record is in the file of this
/// inode: where the record was made anew, the queue is another one.
pub(super) fn of_turnstile(name: &str, inode: u64) -> SockAddr {
    fitting(format!("/semturn/{:016x}.{inode:x}", digest(name)).as_bytes())
}

/// The address where those queue that wait for the TCP lock `name`.
pub(super) fn of_tcp_turnstile(name: &str) -> SockAddr {
    fitting(format!("/tcpturn/{:016x}", digest(name)).as_bytes())
}

fn fitting(name: &[u8]) -> SockAddr {
    match abstract_address(name) {
        Ok(address) => address,
        Err(_) => unreachable!("{} bytes fit into an address", name.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::descriptors::ADDRESS_PREFIXES;

    #[test]
    fn the_longest_name_has_an_address_and_waiters() {
        for name in ["n".repeat(97), format!("{}n", "ä".repeat(48)), "n".into(), "n".repeat(250)] {
            for waiters in [Waiters::PORT, Waiters::SEMAPHORE, Waiters::TCP] {
                let (one, other) = (waiters.next(&name), waiters.next(&name));
                assert!(waiters.include(&one) && waiters.include(&other));
                assert_ne!(one, other);
                assert!(waiters.include(&waiters.odd_one(&name)));
                assert!(!waiters.include(&of_turnstile(&name, u64::MAX)));
                assert!(!waiters.include(&of_tcp_turnstile(&name)));
            }
            if name.len() <= 97 {
                let lock = of_port(&name);
                assert_eq!(lock.as_abstract_namespace(), Some(&*bytes_of_port(&name)));
                assert!(!Waiters::PORT.include(&lock));
            }
        }
    }

    /// By that a child tells its copies of them from other descriptors.
    #[test]
    fn all_addresses_begin_as_the_librarys_do() {
        for address in [
            of_port("n"),
            of_turnstile("n", 1),
            of_tcp_turnstile("n"),
            Waiters::PORT.next("n"),
            Waiters::SEMAPHORE.next("n"),
            Waiters::TCP.next("n"),
        ] {
            let name = address.as_abstract_namespace().unwrap();
            assert!(ADDRESS_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        }
    }
}
