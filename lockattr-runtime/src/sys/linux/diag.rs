//! Asking the kernel who listens at a TCP port (`sock_diag(7)`). `/proc/net/tcp` tells the same, but to read it the
//! kernel walks through its table of all connections, which takes 5 ms on a large machine.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{
    recv, send, socket, AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType,
};

/// Whether the system tells everybody who listens.
pub(crate) const TELLS: bool = true;

/// A socket that listens, as the kernel tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listener {
    /// Where; unspecified, if at all addresses.
    pub(crate) address: Ipv4Addr,
    pub(crate) inode: u64,
    pub(crate) uid: u32,
}

/// `linux/sock_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// `struct inet_diag_req_v2` up to its `id`, and that of `struct inet_diag_msg`.
const ID: usize = HEADER + 8;
const FOUND_ID: usize = HEADER + 4;
/// `struct inet_diag_sockid`.
const ID_BYTES: usize = 48;

/// Who listens at `port` of `address`. None also where the kernel does not tell (`CONFIG_INET_TCP_DIAG`).
///
/// # Errors
/// If it cannot be asked.
pub(crate) fn listener_at(address: Ipv4Addr, port: u16) -> io::Result<Option<Listener>> {
    const KIND: SockType = SockType::Datagram; // or raw: "does not distinguish" (netlink(7))
    const ALL_STATES: u32 = u32::MAX;
    const NO_COOKIE: [u8; 8] = [0xff; 8];

    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let asked = socket(AddressFamily::Netlink, KIND, flags, SockProtocol::NetlinkSockDiag)?;
    let mut request = [0; ID + ID_BYTES];
    let mut put = |at: usize, bytes: &[u8]| request[at..at + bytes.len()].copy_from_slice(bytes);
    #[allow(clippy::cast_possible_truncation)] // 72
    put(0, &((ID + ID_BYTES) as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1
    put(6, &(libc::NLM_F_REQUEST as u16).to_ne_bytes());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 2 and 6
    put(HEADER, &[libc::AF_INET as u8, libc::IPPROTO_TCP as u8]);
    put(HEADER + 4, &ALL_STATES.to_ne_bytes());
    put(ID, &port.to_be_bytes());
    put(ID + 4, &address.octets());
    put(ID + 40, &NO_COOKIE);
    send(asked.as_raw_fd(), &request, MsgFlags::empty())?;
    let mut answer = [0; 1024];
    let length = recv(asked.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    Ok(parse(&answer[..length]))
}

fn parse(answer: &[u8]) -> Option<Listener> {
    const LISTEN: u8 = 10;

    let word = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    if kind != SOCK_DIAG_BY_FAMILY || *answer.get(HEADER + 1)? != LISTEN {
        return None; // an error, mostly that there is none
    }
    let is_v6 = i32::from(*answer.get(HEADER)?) == libc::AF_INET6;
    let address = <[u8; 4]>::try_from(answer.get(FOUND_ID + 4..FOUND_ID + 8)?).ok()?;
    Some(Listener {
        // One of IPv6 that is asked for by IPv4 is at all addresses.
        address: if is_v6 { Ipv4Addr::UNSPECIFIED } else { address.into() },
        uid: word(FOUND_ID + ID_BYTES + 12)?,
        inode: word(FOUND_ID + ID_BYTES + 16)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::fs::MetadataExt;

    use nix::unistd::geteuid;

    use super::*;

    #[test]
    fn the_kernel_tells_who_listens() {
        for (at, address) in
            [("127.0.0.1:0", Ipv4Addr::LOCALHOST), ("0.0.0.0:0", Ipv4Addr::UNSPECIFIED)]
        {
            let server = TcpListener::bind(at).unwrap();
            let port = server.local_addr().unwrap().port();
            let path = format!("/proc/self/fd/{}", server.as_raw_fd());
            let inode = std::fs::metadata(path).unwrap().ino();
            let found = listener_at(Ipv4Addr::LOCALHOST, port).unwrap();
            assert_eq!(found, Some(Listener { address, inode, uid: geteuid().as_raw() }));
            drop(server);
            assert_eq!(listener_at(Ipv4Addr::LOCALHOST, port).unwrap(), None);
        }
    }

    #[test]
    fn rubbish_is_no_listener() {
        for length in 0..120 {
            assert_eq!(parse(&vec![0; length]), None);
            assert_eq!(parse(&vec![20; length]), None);
        }
    }
}
