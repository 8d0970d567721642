//! The abstract addresses of a lock and of its waiters.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};

use socket2::SockAddr;

use crate::name::{digest, PORT_PREFIX};
use crate::sys::socket::abstract_address;

/// What the addresses of waiters begin with. `/proc/net/unix` shows who waits for what:
/// `@/portwait/PID.NUMBER/LOCK`.
const WAITER_PREFIX: &str = "/portwait/";

/// The bytes of `sun_path` (unix(7)), less the leading NUL.
const LIMIT: usize = 107;

/// The address that is the lock `name`. The name has been checked, so it fits.
pub(super) fn of_lock(name: &str) -> SockAddr {
    fitting(&bytes_of_lock(name))
}

/// The lock's address without its leading NUL.
pub(super) fn bytes_of_lock(name: &str) -> Vec<u8> {
    [PORT_PREFIX.as_bytes(), name.as_bytes()].concat()
}

/// An address for a waiter of the lock `name`: another one at each call. Another process can have
/// bound it all the same (one of the same pid in another pid namespace): then ask for an odd one.
pub(super) fn of_waiter(name: &str) -> SockAddr {
    static NUMBERS: AtomicU32 = AtomicU32::new(0);

    numbered(name, NUMBERS.fetch_add(1, Ordering::Relaxed))
}

/// As [`of_waiter`], with a number that nobody can foresee and bind before.
pub(super) fn odd_one_of_waiter(name: &str) -> SockAddr {
    let random = RandomState::new().build_hasher().finish();
    #[allow(clippy::cast_possible_truncation)] // any 32 bits of it
    numbered(name, random as u32)
}

fn numbered(name: &str, number: u32) -> SockAddr {
    let mut address = format!("{WAITER_PREFIX}{}.{number}/", std::process::id());
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

/// Whether the other end of a connection is a waiter: whoever is at another address, or at none, only
/// watches and is handed nothing.
pub(super) fn is_waiters(address: &SockAddr) -> bool {
    address.as_abstract_namespace().is_some_and(|name| name.starts_with(WAITER_PREFIX.as_bytes()))
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

    #[test]
    fn the_longest_name_has_an_address_and_waiters() {
        for name in ["n".repeat(97), format!("{}n", "ä".repeat(48)), "n".into()] {
            let lock = of_lock(&name);
            assert_eq!(lock.as_abstract_namespace(), Some(&*bytes_of_lock(&name)));
            assert!(!is_waiters(&lock));
            let (one, other) = (of_waiter(&name), of_waiter(&name));
            assert!(is_waiters(&one) && is_waiters(&other));
            assert_ne!(one, other);
            assert!(is_waiters(&odd_one_of_waiter(&name)));
        }
    }
}
