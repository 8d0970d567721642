//! `/proc/net/tcp` and `/proc/net/tcp6`, the kernel's tables of TCP sockets in this network namespace (proc(5)).
//!
//! A socket that is bound and does not listen, as k3portlock's, is in neither.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use super::ports::COUNT;
use crate::sys::owners::is_over;
use crate::sys::tcp::ADDRESS;

/// A socket of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) port: u16,
    /// 0 if no process has it: what is left of a connection (`TIME_WAIT`).
    pub(super) inode: u64,
    pub(super) uid: u32,
    /// As a lock's: at the address of locks, and listening.
    pub(super) is_like_a_lock: bool,
    listens: bool,
}

/// What keeps each of `ports` taken, as far as the tables are read until `until`, and can be read at all.
pub(super) fn find(ports: [u16; COUNT], until: Option<Instant>) -> [Option<Entry>; COUNT] {
    let mut found = [None; COUNT];
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = read(file, until).unwrap_or_default();
        for entry in table.lines().filter_map(parse) {
            let places = found.iter_mut().zip(ports).filter(|(_, port)| *port == entry.port);
            for (place, _) in places {
                // A listener keeps the port; connections in its backlog are in the table too.
                if place.map_or(true, |before: Entry| entry.rank() > before.rank()) {
                    *place = Some(entry);
                }
            }
        }
    }
    found
}

fn read(file: &str, until: Option<Instant>) -> io::Result<String> {
    const CHUNK: u64 = 64 << 10;

    let mut file = File::open(file)?;
    let mut table = Vec::new();
    while file.by_ref().take(CHUNK).read_to_end(&mut table)? > 0 && !is_over(until) {}
    Ok(String::from_utf8_lossy(&table).into_owned())
}

impl Entry {
    fn rank(&self) -> (bool, bool, bool) {
        (self.is_like_a_lock, self.listens, self.inode != 0)
    }
}

/// Lines are `sl: ADDRESS:PORT ADDRESS:PORT ST TX:RX TR:WHEN RETRANSMITS UID TIMEOUT INODE …`. None for a socket
/// that leaves the port to others.
fn parse(line: &str) -> Option<Entry> {
    const LISTEN: &str = "0A";

    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let address = self::address(address)?;
    let state = fields.nth(1)?;
    let uid = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    let listens = state == LISTEN;
    (address == ADDRESS || address.is_unspecified()).then_some(Entry {
        port,
        inode,
        uid,
        is_like_a_lock: listens && address == ADDRESS,
        listens,
    })
}

/// 32-bit words as the machine has them, in hexadecimal. One of IPv6 as the one of IPv4 that it stands for.
fn address(text: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0; 16];
    let words = text.len() / 8;
    if !text.is_ascii() || !matches!(words, 1 | 4) {
        return None;
    }
    for (word, chunk) in bytes.chunks_exact_mut(4).take(words).enumerate() {
        let number = u32::from_str_radix(text.get(word * 8..word * 8 + 8)?, 16).ok()?;
        chunk.copy_from_slice(&number.to_ne_bytes());
    }
    if words == 1 {
        return <[u8; 4]>::try_from(&bytes[..4]).ok().map(Ipv4Addr::from);
    }
    let address = Ipv6Addr::from(bytes);
    if address.is_unspecified() {
        Some(Ipv4Addr::UNSPECIFIED)
    } else {
        address.to_ipv4_mapped()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::sys::tcp::{bound_at, connected_to};

    #[test]
    fn a_listener_is_found_beside_what_is_connected_to_it() {
        let ports = [40_107, 40_108, 40_109];
        let listener = bound_at(ports[0]).unwrap();
        let _silent = bound_at(ports[1]).unwrap();
        listener.listen(8).unwrap();
        let _connection = connected_to(ports[0]).unwrap();
        let [found, silent, free] = find(ports, None);
        let found = found.unwrap();
        let path = format!("/proc/self/fd/{}", listener.as_raw_fd());
        assert_eq!(found.inode, std::fs::metadata(path).unwrap().ino());
        assert!(found.is_like_a_lock);
        assert_eq!((silent, free), (None, None));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn only_what_keeps_a_port_at_127_0_0_1_is_found_and_rubbish_is_survived() {
        let line = |address: &str, state: &str| {
            format!("   0: {address}:9C48 0100007F:B03D {state} 00000000:00000000 00:00000000 00000000  1000 0 4711 1 x")
        };
        let listens = |address: &str| {
            parse(&line(address, "0A")).map(|entry| (entry.port, entry.inode, entry.is_like_a_lock))
        };
        assert_eq!(listens("0100007F"), Some((40_008, 4711, true)));
        assert_eq!(listens("00000000"), Some((40_008, 4711, false)));
        assert_eq!(listens("0200007F"), None);
        assert_eq!(listens(&"0".repeat(32)), Some((40_008, 4711, false)));
        assert_eq!(listens("0000000000000000FFFF00000100007F"), Some((40_008, 4711, true)));
        assert_eq!(listens("00000000000000000000000001000000"), None);
        assert!(parse(&line("0100007F", "01")).is_some_and(|entry| !entry.is_like_a_lock));
        for rubbish in ["", "0:", "x y z", "0: 0100007F:9C48", "0: é000007:9C48 x 0A"] {
            assert_eq!(parse(rubbish), None);
        }
    }
}
