//! `/proc/net/unix`, the kernel's table of unix sockets in this network namespace (proc(5)).

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;

use super::address;

/// A socket of the table, by its inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u64);

/// The socket that is bound to the address of the lock `name`.
///
/// # Errors
/// If `/proc` cannot be read.
pub(super) fn find(name: &str) -> io::Result<Option<Entry>> {
    Ok(find_in(&fs::read("/proc/net/unix")?, name))
}

/// Lines are `Num: RefCount Protocol Flags Type St Inode @ADDRESS`. An address may hold any byte, a
/// line's end too, so it is looked for in the whole, and the fields before it are checked.
fn find_in(table: &[u8], name: &str) -> Option<Entry> {
    const STREAM: &str = "0001";
    /// What was accepted at the address shows it too, but as connected (02 and 03).
    const UNCONNECTED: &str = "01";

    let address = [b" @", &*address::bytes_of_lock(name), b"\n"].concat();
    table.windows(address.len()).enumerate().filter(|(_, window)| *window == address).find_map(
        |(position, _)| {
            let start =
                table[..position].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            let line = std::str::from_utf8(&table[start..position]).ok()?;
            match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
                [_, _, _, _, STREAM, UNCONNECTED, inode] => inode.parse().ok().map(Entry),
                _ => None,
            }
        },
    )
}

/// A process that has the socket open, as far as this user may see.
pub(super) fn find_process(Entry(inode): Entry) -> Option<u32> {
    let target = format!("socket:[{inode}]");
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        std::str::from_utf8(entry.ok()?.file_name().as_bytes()).ok()?.parse::<u32>().ok()
    });
    pids.into_iter().find(|pid| {
        fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|descriptors| {
            descriptors.filter_map(Result::ok).any(|descriptor| {
                fs::read_link(descriptor.path())
                    .is_ok_and(|link| link.as_os_str().as_bytes() == target.as_bytes())
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n";

    fn found(lines: &str, name: &str) -> Option<u64> {
        find_in(format!("{HEAD}{lines}").as_bytes(), name).map(|Entry(inode)| inode)
    }

    #[test]
    fn a_bound_stream_socket_is_found_whether_it_listens_or_not() {
        let silent = "0000000000000000: 00000002 00000000 00000000 0001 01 4711 @/portlock/bus\n";
        let listening =
            "0000000000000000: 00000002 00000000 00010000 0001 01 4712 @/portlock/spi\n";
        assert_eq!(found(&[silent, listening].concat(), "bus"), Some(4711));
        assert_eq!(found(&[silent, listening].concat(), "spi"), Some(4712));
        assert_eq!(found(&[silent, listening].concat(), "us"), None);
        assert_eq!(found(&[silent, listening].concat(), "bu"), None);
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
