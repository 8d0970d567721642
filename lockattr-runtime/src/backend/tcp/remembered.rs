//! The TCP locks that a record tells of.

use std::io;

use crate::name::TCP_RECORD;
use crate::record;

/// The names of the TCP locks that a record in `/dev/shm` tells of, whether they are held or free, in order. Nothing
/// else tells names: of a name there are ports, and of ports there is no way back.
///
/// ```
/// use lockattr_runtime::{Backend, Lock};
///
/// let lock = Lock::open(Backend::Tcp, "doc-remembered-tcp")?;
/// drop(lock.try_acquire()?);
/// let names = lockattr_runtime::remembered_tcp_locks()?;
/// assert!(names.iter().any(|name| name == "doc-remembered-tcp"));
/// # lock.remove_files()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If `/dev/shm` cannot be read.
pub fn remembered_tcp_locks() -> io::Result<Vec<String>> {
    let records = record::remembered()?;
    let names = records.keys().filter_map(|key| key.strip_suffix(TCP_RECORD));
    Ok(names.map(str::to_owned).collect())
}
