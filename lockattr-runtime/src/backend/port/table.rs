//! `/proc/net/unix`, the kernel's table of unix sockets in this network namespace (proc(5)).

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::BorrowedFd;

use nix::sys::stat::fstat;

use crate::backend::queue::bytes_of_port;
use crate::sys::limit::{is_over, Limit};
use crate::sys::procfs;

/// A socket of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) inode: u64,
    pub(super) listens: bool,
}

/// The socket that is bound to the address of the lock `name`, as far as the table is read until `until`.
///
/// # Errors
/// If `/proc` cannot be read, and `TimedOut` if it was not found within `limit`.
pub(super) fn find(name: &str, limit: Option<Limit>) -> io::Result<Option<Entry>> {
    const CHUNK: u64 = 64 << 10;

    let mut file = File::open("/proc/net/unix")?;
    let mut table = Vec::new();
    while file.by_ref().take(CHUNK).read_to_end(&mut table)? > 0 {
        if is_over(limit) {
            return find_in(&table, name).map(Some).ok_or(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(find_in(&table, name))
}

/// Whether another socket than `own` is bound to the address of the lock `name` in the network namespace that the
/// process `pid` has now. In doubt it is.
///
/// That process may be in the caller's own namespace, where the caller may just have bound the address.
pub(super) fn is_bound_at(pid: u32, name: &str, own: Option<BorrowedFd<'_>>) -> bool {
    let mut table = Vec::new();
    let read = procfs::open(pid, "net/unix").and_then(|mut file| file.read_to_end(&mut table));
    if read.is_err() {
        return true;
    }
    #[allow(clippy::useless_conversion)] // the C types differ
    let own = own.and_then(|own| fstat(own).ok()).map(|own| u64::from(own.st_ino));
    find_in(&table, name).is_some_and(|found| Some(found.inode) != own)
}

/// Lines are `Num: RefCount Protocol Flags Type St Inode @ADDRESS`. An address may hold any byte, a
/// line's end too, so it is looked for in the whole, and the fields before it are checked.
fn find_in(table: &[u8], name: &str) -> Option<Entry> {
    const STREAM: &str = "0001";
    /// What was accepted at the address shows it too, but as connected (02 and 03).
    const UNCONNECTED: &str = "01";
    /// `__SO_ACCEPTCON` of `linux/net.h`.
    const LISTENS: u32 = 1 << 16;

    let address = [b" @", &*bytes_of_port(name), b"\n"].concat();
    table.windows(address.len()).enumerate().filter(|(_, window)| *window == address).find_map(
        |(position, _)| {
            let start =
                table[..position].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            let line = std::str::from_utf8(&table[start..position]).ok()?;
            match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
                [_, _, _, flags, STREAM, UNCONNECTED, inode] => {
                    let flags = u32::from_str_radix(flags, 16).ok()?;
                    Some(Entry { inode: inode.parse().ok()?, listens: flags & LISTENS != 0 })
                }
                _ => None,
            }
        },
    )
}

/// The port locks that are bound, as one look at the table found them.
pub(super) struct Bound {
    table: Vec<u8>,
    /// What follows the prefix, up to the line's end.
    names: HashSet<Vec<u8>>,
}

impl Bound {
    pub(super) fn read() -> io::Result<Self> {
        Ok(Self::parse(fs::read("/proc/net/unix")?))
    }

    fn parse(table: Vec<u8>) -> Self {
        let prefix = [b" @", &*bytes_of_port("")].concat();
        let names = table.split(|&byte| byte == b'\n').filter_map(|line| {
            let start = line.windows(prefix.len()).position(|window| window == prefix)?;
            Some(line[start + prefix.len()..].to_vec())
        });
        Self { names: names.collect(), table }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        let first = name.split('\n').next().unwrap_or_default();
        self.names.contains(first.as_bytes()) && find_in(&self.table, name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n";

    fn found(lines: &str, name: &str) -> Option<u64> {
        find_in(format!("{HEAD}{lines}").as_bytes(), name).map(|found| found.inode)
    }

    #[test]
    fn a_bound_stream_socket_is_found_whether_it_listens_or_not() {
        let silent = "0000000000000000: 00000002 00000000 00000000 0001 01 4711 @/portlock/bus\n";
        let listening =
            "0000000000000000: 00000002 00000000 00010000 0001 01 4712 @/portlock/spi\n";
        assert_eq!(found(&[silent, listening].concat(), "bus"), Some(4711));
        assert_eq!(found(&[silent, listening].concat(), "spi"), Some(4712));
        let listens = |line: &str, name| find_in(line.as_bytes(), name).map(|found| found.listens);
        assert_eq!((listens(silent, "bus"), listens(listening, "spi")), (Some(false), Some(true)));
        assert_eq!(found(&[silent, listening].concat(), "us"), None);
        assert_eq!(found(&[silent, listening].concat(), "bu"), None);
    }

    #[test]
    fn all_that_is_bound_is_known_from_one_look() {
        let lines = "0000000000000000: 00000002 00000000 00000000 0001 01 4711 @/portlock/bus\n\
                     0000000000000000: 00000002 00000000 00000000 0001 01 5 @/portlock/a\nb c\n\
                     0000000000000000: 00000002 00000000 00000000 0001 03 1 @/portlock/accepted\n";
        let bound = Bound::parse(format!("{HEAD}{lines}").into_bytes());
        assert!(bound.contains("bus") && bound.contains("a\nb c"));
        assert!(!bound.contains("accepted") && !bound.contains("bu"));
    }

    #[test]
    fn connections_and_datagram_sockets_of_the_address_hold_nothing() {
        let accepted = "0000000000000000: 00000003 00000000 00000000 0001 03 1 @/portlock/bus\n";
        let waiting = "0000000000000000: 00000002 00000000 00000000 0001 02 0 @/portlock/bus\n";
        let datagram = "0000000000000000: 00000002 00000000 00000000 0002 01 9 @/portlock/bus\n";
        assert_eq!(found(&[accepted, waiting, datagram].concat(), "bus"), None);
    }

    #[test]
    fn names_with_line_ends_and_rubbish_are_survived() {
        let odd = "0000000000000000: 00000002 00000000 00000000 0001 01 5 @/portlock/a\nb c\n";
        assert_eq!(found(odd, "a\nb c"), Some(5));
        assert_eq!(found(" @/portlock/bus\n\n\u{fffd} @/portlock/bus\n", "bus"), None);
        assert_eq!(find_in(b"", "bus"), None);
    }
}
