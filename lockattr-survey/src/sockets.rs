//! `/proc/net/unix`, the kernel's table of unix sockets in this network namespace (proc(5)): who holds
//! which port lock, and who waits for it or queues for another lock.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use crate::SurveyError;

/// What the kernel writes before the addresses of locks, and of those who wait for them:
/// `@/portwait/PID.NUMBER/NAME` for a port lock, `@/semwait/PID.NUMBER/NAME` for a semaphore, and `@/tcpwait/PID.NUMBER/NAME`
/// for a TCP lock, whose first waiter listens at `@/tcpturn/DIGEST`.
const LOCK: &[u8] = b"@/portlock/";
const WAITER: &[u8] = b"@/portwait/";
const QUEUED: &[u8] = b"@/semwait/";
const TCP_QUEUED: &[u8] = b"@/tcpwait/";
const TCP_HEAD: &[u8] = b"@/tcpturn/";

/// One look at the table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    bound: BTreeSet<Vec<u8>>,
    /// Of port locks.
    waiters: Waiters,
    /// Of semaphores.
    queued: Waiters,
    /// Of TCP locks, but the first of each.
    tcp_queued: Waiters,
    /// The digests of the names of TCP locks that have a first waiter.
    tcp_heads: BTreeSet<Vec<u8>>,
}

/// How many wait, by what stands for the lock's name in their addresses.
#[derive(Debug, Default)]
struct Waiters(HashMap<Vec<u8>, u32>);

impl Table {
    pub(crate) fn read() -> Result<Self, SurveyError> {
        const PATH: &str = "/proc/net/unix";

        Ok(Self::parse(&fs::read(PATH).map_err(SurveyError::reading(PATH))?))
    }

    fn parse(table: &[u8]) -> Self {
        let mut found = Self::default();
        let mut entry: Vec<u8> = Vec::new();
        // An address may hold any byte, a line's end too: what does not begin like an entry goes on
        // with the one before.
        for line in table.split(|&byte| byte == b'\n') {
            if fields(line).is_some() {
                found.add(&entry);
                entry = line.to_vec();
            } else if !entry.is_empty() {
                entry.push(b'\n');
                entry.extend(line);
            }
        }
        // What ends the last line is no part of its address.
        found.add(entry.strip_suffix(b"\n").unwrap_or(&entry));
        found
    }

    fn add(&mut self, entry: &[u8]) {
        let Some((is_unconnected_stream, address)) = fields(entry) else { return };
        if let Some(name) = address.strip_prefix(LOCK) {
            // What was accepted at the address shows it too, but as connected.
            if is_unconnected_stream {
                self.bound.insert(name.to_vec());
            }
        } else if let Some(rest) = address.strip_prefix(WAITER) {
            self.waiters.add(rest);
        } else if let Some(rest) = address.strip_prefix(QUEUED) {
            self.queued.add(rest);
        } else if let Some(rest) = address.strip_prefix(TCP_QUEUED) {
            self.tcp_queued.add(rest);
        } else if let Some(digest) =
            address.strip_prefix(TCP_HEAD).filter(|_| is_unconnected_stream)
        {
            self.tcp_heads.insert(digest.to_vec());
        }
    }

    /// The names of the port locks that somebody has.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.bound.iter().map(Vec::as_slice)
    }

    pub(crate) fn is_bound(&self, name: &str) -> bool {
        self.bound.contains(name.as_bytes())
    }

    /// How many wait for the port lock `name`.
    pub(crate) fn waiters(&self, name: &str) -> u32 {
        self.waiters.of(name)
    }

    /// How many queue for the semaphore `name`: all that wait but the one whose turn it is.
    pub(crate) fn queued(&self, name: &str) -> u32 {
        self.queued.of(name)
    }

    /// How many wait in order for the TCP lock `name`.
    pub(crate) fn tcp_waiters(&self, name: &str) -> u32 {
        let digest = format!("{:016x}", digest(name));
        self.tcp_queued.of(name) + u32::from(self.tcp_heads.contains(digest.as_bytes()))
    }
}

impl Waiters {
    /// `rest` is `PID.NUMBER/NAME`.
    fn add(&mut self, rest: &[u8]) {
        if let Some(end) = rest.iter().position(|&byte| byte == b'/') {
            *self.0.entry(rest[end + 1..].to_vec()).or_default() += 1;
        }
    }

    fn of(&self, name: &str) -> u32 {
        /// No name as short as this is ever cut (there are 107 bytes, a pid has at most 7 digits and a
        /// number at most 10).
        const NEVER_CUT: usize = 107 - WAITER.len() - 7 - 1 - 10;

        let whole = self.0.get(name.as_bytes()).copied().unwrap_or(0);
        if name.len() <= NEVER_CUT {
            return whole;
        }
        // A name that does not fit is cut, and ends with its digest.
        let digest = format!("~{:016x}", digest(name));
        let cut = self.0.iter().filter(|(address, _)| {
            address
                .strip_suffix(digest.as_bytes())
                .is_some_and(|begin| name.as_bytes().starts_with(begin))
        });
        whole + cut.map(|(_, count)| count).sum::<u32>()
    }
}

/// Whether the entry is of a stream socket that is not connected, and its address:
/// `Num: RefCount Protocol Flags Type St Inode Address`. None if the line begins no entry.
fn fields(line: &[u8]) -> Option<(bool, &[u8])> {
    const STREAM: &[u8] = b"0001";
    const UNCONNECTED: &[u8] = b"01";
    const WIDTHS: [usize; 5] = [8, 8, 8, 4, 2]; // up to St; `unix_seq_show` in net/unix/af_unix.c

    let number = line.iter().position(|&byte| byte == b':')?;
    if number < 8 || !line[..number].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut rest = &line[number + 1..];
    let mut values: [&[u8]; 5] = [&[]; 5];
    for (value, width) in values.iter_mut().zip(WIDTHS) {
        rest = rest.strip_prefix(b" ")?;
        *value = rest.get(..width).filter(|value| value.iter().all(u8::is_ascii_hexdigit))?;
        rest = &rest[width..];
    }
    // The inode is padded to five places.
    let start = rest.iter().position(|&byte| byte != b' ')?;
    rest = &rest[start..];
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    if start == 0 || end == 0 {
        return None;
    }
    let address = rest[end..].strip_prefix(b" ").unwrap_or_default();
    Some((values[3] == STREAM && values[4] == UNCONNECTED, address))
}

/// As the runtime's waiters shorten a name: FNV-1a, 64 bits.
fn digest(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(lines: &str) -> Table {
        let head = "Num       RefCount Protocol Flags    Type St Inode Path\n";
        Table::parse(format!("{head}{lines}").as_bytes())
    }

    fn names(table: &Table) -> Vec<&[u8]> {
        table.names().collect()
    }

    #[test]
    fn bound_stream_sockets_are_locks_and_connections_are_none() {
        let table = table(
            "0000000000000000: 00000002 00000000 00010000 0001 01 4712 @/portlock/spi\n\
             0000000000000000: 00000002 00000000 00000000 0001 01    47 @/portlock/bus\n\
             0000000000000000: 00000003 00000000 00000000 0001 03     1 @/portlock/no\n\
             0000000000000000: 00000002 00000000 00000000 0002 01     9 @/portlock/datagram\n\
             0000000000000000: 00000002 00000000 00000000 0001 01    10 /run/portlock/path\n\
             0000000000000000: 00000002 00000000 00000000 0001 01    11\n",
        );
        assert_eq!(names(&table), [b"bus", b"spi"]);
        assert!(table.is_bound("bus") && !table.is_bound("bu") && !table.is_bound("no"));
    }

    #[test]
    fn waiters_are_counted_by_the_lock_that_they_wait_for() {
        let table = table(
            "0000000000000000: 00000002 00000000 00000000 0001 03 1 @/portwait/812.0/a/b\n\
             0000000000000000: 00000002 00000000 00000000 0001 03 2 @/portwait/812.1/a/b\n\
             0000000000000000: 00000002 00000000 00000000 0001 02 0 @/portwait/4.0/a\n",
        );
        assert_eq!((table.waiters("a/b"), table.waiters("a"), table.waiters("b")), (2, 1, 0));
    }

    #[test]
    fn those_that_queue_for_a_semaphore_are_no_waiters_of_a_port_lock() {
        let name = "n".repeat(250);
        let table = table(&format!(
            "0000000000000000: 00000002 00000000 00000000 0001 03 1 @/semwait/812.0/bus\n\
             0000000000000000: 00000002 00000000 00000000 0001 03 2 @/portwait/812.1/bus\n\
             0000000000000000: 00000002 00000000 00000000 0001 03 3 @/semwait/7.4/bus\n\
             0000000000000000: 00000002 00000000 00000000 0001 03 4 @/semwait/7.5/nn~{:016x}\n",
            digest(&name),
        ));
        assert_eq!((table.queued("bus"), table.waiters("bus")), (2, 1));
        assert_eq!((table.queued(&name), table.queued("n")), (1, 0));
    }

    #[test]
    fn the_first_waiter_of_a_tcp_lock_is_counted_with_those_behind_it() {
        let digest = digest("bus");
        let table = table(&format!(
            "0000000000000000: 00000002 00000000 00000000 0001 03 1 @/tcpwait/812.0/bus\n\
             0000000000000000: 00000002 00000000 00010000 0001 01 2 @/tcpturn/{digest:016x}\n\
             0000000000000000: 00000003 00000000 00000000 0001 03 3 @/tcpturn/{digest:016x}\n\
             0000000000000000: 00000002 00000000 00000000 0001 03 4 @/semwait/7.4/bus\n",
        ));
        assert_eq!(
            (table.tcp_waiters("bus"), table.queued("bus"), table.tcp_waiters("b")),
            (2, 1, 0)
        );
    }

    #[test]
    fn waiters_of_a_name_too_long_for_their_address_are_told_by_its_digest() {
        let name = "n".repeat(97);
        let digest = digest(&name);
        let table = table(&format!(
            "0000000000000000: 00000002 00000000 00000000 0001 03 1 @/portwait/8.0/nnnn~{digest:016x}\n\
             0000000000000000: 00000002 00000000 00000000 0001 03 1 @/portwait/8.1/{name}\n\
             0000000000000000: 00000002 00000000 00000000 0001 03 1 @/portwait/8.2/nnnm~{digest:016x}\n",
        ));
        assert_eq!(table.waiters(&name), 2);
        assert_eq!(table.waiters(&"n".repeat(96)), 0);
    }

    #[test]
    fn names_with_line_ends_and_rubbish_are_survived() {
        let table = table(
            "0000000000000000: 00000002 00000000 00000000 0001 01 5 @/portlock/a\nb: c\n\
             0000000000000000: 00000002 00000000 00000000 0001 01 6 @/portlock/z\n\n",
        );
        assert_eq!(names(&table), [&b"a\nb: c"[..], b"z\n"]);
        assert!(names(&Table::parse(b"\xff\n\n:")).is_empty());
    }
}
