//! The port locks that are free, and that a record tells of.

use std::io;

use super::table;
use crate::holder::Holder;
use crate::record;
use crate::sys::namespace::Network;
use crate::sys::socket::ForkSocket;

/// The free port locks that a record in `/dev/shm` tells of, in the order of their names, with the holder
/// that each had last ([`Lock::last_holder`](crate::Lock::last_holder)). The folder and the kernel's table of
/// sockets are each read once, however many there are.
///
/// ```
/// use lockattr_runtime::{Backend, Lock};
///
/// let lock = Lock::open(Backend::Port, "doc-remembered")?;
/// drop(lock.try_acquire()?);
/// let free = lockattr_runtime::free_port_locks()?;
/// let (_, last) = free.iter().find(|(name, _)| name == "doc-remembered").expect("it has a record");
/// assert_eq!(last.pid, Some(std::process::id()));
/// # std::fs::remove_file(format!("/dev/shm/lockattr.{}.doc-remembered", last.uid.unwrap()))?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If `/dev/shm` or `/proc/net/unix` cannot be read, or there is no descriptor left.
pub fn free_port_locks() -> io::Result<Vec<(String, Holder)>> {
    let records = record::remembered()?;
    // After the records: a lock that is not bound then was not held by what they tell of.
    let bound = table::Bound::read()?;
    let network = Network::of(&*ForkSocket::new()?);
    // A name with a NUL is what the record of a TCP lock goes by.
    let records = records.into_iter().filter(|(name, _)| !name.contains('\0'));
    let free = records.filter(|(name, _)| !bound.contains(name));
    Ok(free
        .map(|(name, record)| {
            let last =
                if record.has_ended() { record.last_holder() } else { record.past_holder(network) };
            (name, last)
        })
        .collect())
}
