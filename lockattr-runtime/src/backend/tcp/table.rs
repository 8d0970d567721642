//! What keeps ports taken, as the kernel tells: listeners, by `sock_diag(7)`; and the ends of connections, by
//! `/proc/net/tcp` (proc(5)), both of this network namespace.
//!
//! A socket that is bound and does not listen, as k3portlock's, is in neither.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::Ipv4Addr;

use super::ports::COUNT;
use crate::backend::look::Time;
use crate::sys::diag::listener_at;
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

/// What was found at the ports of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) entries: [Option<Entry>; COUNT],
    /// Whether the kernel could be asked who listens.
    pub(super) is_told: bool,
}

/// What keeps each of `ports` taken, as far as that can be told in `time`. To read of connections takes
/// milliseconds on a large machine: it is done where listeners do not tell enough, but not for one that only tries, unless
/// the kernel cannot be asked about listeners, as one within a sandbox.
pub(super) fn find(ports: [u16; COUNT], time: Time) -> Found {
    let mut is_told = true;
    let mut entries = ports.map(|port| {
        let listener = listener_at(ADDRESS, port);
        is_told &= listener.is_ok();
        let listener = listener.ok().flatten()?;
        Some(Entry {
            port,
            inode: listener.inode,
            uid: listener.uid,
            is_like_a_lock: listener.address == ADDRESS,
            listens: true,
        })
    });
    let is_brief = is_told && matches!(time, Time::Brief(_));
    if entries.iter().flatten().count() >= 2 || is_brief {
        return Found { entries, is_told };
    }
    let table = read("/proc/net/tcp").unwrap_or_default();
    for entry in table.lines().filter_map(parse) {
        let places = entries.iter_mut().zip(ports).filter(|(_, port)| *port == entry.port);
        for (place, _) in places {
            // A listener keeps the port; connections in its backlog are in the table too.
            if place.map_or(true, |before: Entry| entry.rank() > before.rank()) {
                *place = Some(entry);
            }
        }
    }
    Found { entries, is_told }
}

fn read(file: &str) -> io::Result<String> {
    let mut table = Vec::with_capacity(64 << 10);
    File::open(file)?.read_to_end(&mut table)?;
    Ok(String::from_utf8_lossy(&table).into_owned())
}

impl Entry {
    fn rank(&self) -> (bool, bool, bool) {
        (self.is_like_a_lock, self.listens, self.inode != 0)
    }
}

/// Lines are `sl: ADDRESS:PORT ADDRESS:PORT ST TX:RX TR:WHEN RETRANSMITS UID TIMEOUT INODE …`. None for a socket
/// that leaves the port to others, and for a connection that nobody has accepted: its listener keeps the port, and the
/// kernel ends it with that.
fn parse(line: &str) -> Option<Entry> {
    const LISTEN: &str = "0A";
    /// `ESTABLISHED`, `SYN_RECV` and `CLOSE_WAIT`.
    const UNACCEPTED: [&str; 3] = ["01", "03", "08"];

    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let address = self::address(address)?;
    let state = fields.nth(1)?;
    let uid = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    let listens = state == LISTEN;
    if inode == 0 && UNACCEPTED.contains(&state) {
        return None;
    }
    (address == ADDRESS || address.is_unspecified()).then_some(Entry {
        port,
        inode,
        uid,
        is_like_a_lock: listens && address == ADDRESS,
        listens,
    })
}

/// A 32-bit word as the machine has it, in hexadecimal. An emulated program sees the word of the machine below.
fn address(text: &str) -> Option<Ipv4Addr> {
    let word = u32::from_str_radix(text, 16).ok()?;
    let [little, big] = [word.to_le_bytes(), word.to_be_bytes()].map(Ipv4Addr::from);
    let own = if cfg!(target_endian = "little") { little } else { big };
    Some(if [little, big].contains(&ADDRESS) { ADDRESS } else { own })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_listener_is_found_beside_what_is_connected_to_it() {
        use std::os::fd::AsRawFd as _;
        use std::os::unix::fs::MetadataExt as _;

        use crate::sys::tcp::{bound_at, connected_to};

        let ports = [40_107, 40_108, 40_109];
        let listener = bound_at(ports[0]).unwrap();
        let _silent = bound_at(ports[1]).unwrap();
        listener.listen(8).unwrap();
        let _connection = connected_to(ports[0]).unwrap();
        let [found, silent, free] = find(ports, Time::Ample).entries;
        let found = found.unwrap();
        let path = format!("/proc/self/fd/{}", listener.as_raw_fd());
        assert_eq!(found.inode, std::fs::metadata(path).unwrap().ino());
        assert!(found.is_like_a_lock);
        assert_eq!((silent, free), (None, None));
    }

    #[test]
    fn only_what_keeps_a_port_at_127_0_0_1_is_found_and_rubbish_is_survived() {
        let line = |address: &str, state: &str| {
            format!("   0: {address}:9C48 0100007F:B03D {state} 00000000:00000000 00:00000000 00000000  1000 0 4711 1 x")
        };
        let listens = |address: &str| {
            parse(&line(address, "0A")).map(|entry| (entry.port, entry.inode, entry.is_like_a_lock))
        };
        assert_eq!(listens("0100007F"), Some((40_008, 4711, true)));
        assert_eq!(listens("00000000"), Some((40_008, 4711, false)));
        assert_eq!(listens("7F000001"), Some((40_008, 4711, true)), "in the other byte order");
        assert_eq!(listens("0200007F"), None);
        assert!(parse(&line("0100007F", "01")).is_some_and(|entry| !entry.is_like_a_lock));
        let left = |state: &str| {
            parse(&line("0100007F", state).replace("4711", "0")).map(|entry| entry.inode)
        };
        assert_eq!(left("06"), Some(0), "TIME_WAIT");
        assert_eq!(["01", "03", "08"].map(left), [None; 3], "in a backlog");
        for rubbish in ["", "0:", "x y z", "0: 0100007F:9C48", "0: é000007:9C48 x 0A"] {
            assert_eq!(parse(rubbish), None);
        }
    }
}
