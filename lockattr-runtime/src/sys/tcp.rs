//! TCP sockets at loopback addresses: those that are bound at a lock's ports, and connections to them.

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;
#[cfg(unix)]
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

#[cfg(unix)]
use nix::sys::socket::{getpeername, getsockname, getsockopt, sockopt, SockType, SockaddrIn};
use socket2::Socket;

use super::socket::ForkSocket;
use super::{clock, errno};

/// Where locks are: k3portlock's address.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// All ports of all locks.
pub(crate) const PORTS: RangeInclusive<u16> = 40_000..=60_001;

/// Where connections to locks come from. A connection from the address of the locks could come from a lock's
/// port, and so keep it taken; or from the very port that it goes to, if that is free: TCP then connects it to
/// itself.
const WAITERS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Where there is no such address: ports below those of locks.
const OTHER_PORTS: RangeInclusive<u16> = 20_000..=32_767;

/// A socket that is bound at `port`, and does not listen.
///
/// Without `SO_REUSEADDR`: with it two sockets could be bound at one port. (Windows lets the second one alone say so;
/// there all these sockets have `SO_EXCLUSIVEADDRUSE`.)
pub(crate) fn bound_at(port: u16) -> io::Result<ForkSocket> {
    let socket = ForkSocket::new_tcp()?;
    socket.bind(&SocketAddrV4::new(ADDRESS, port).into())?;
    Ok(socket)
}

/// A connection to `port`, perhaps still to be established: see [`Link::of`].
///
/// # Errors
/// Also if nobody listens there, where that is known at once.
pub(crate) fn connected_to(port: u16) -> io::Result<ForkSocket> {
    let socket = ForkSocket::new_tcp()?;
    // Its end leaves nothing behind (`TIME_WAIT`), here or at the other end.
    socket.set_linger(Some(Duration::ZERO))?;
    bind_waiter(&socket)?;
    match (*socket).connect(&SocketAddrV4::new(ADDRESS, port).into()) {
        Err(error) if error.raw_os_error() != Some(errno::EINPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

fn bind_waiter(socket: &Socket) -> io::Result<()> {
    const ATTEMPTS: u16 = 16;

    match socket.bind(&SocketAddrV4::new(WAITERS, 0).into()) {
        Err(error) if error.raw_os_error() == Some(errno::EADDRNOTAVAIL) => {}
        bound => return bound,
    }
    let ports = OTHER_PORTS.end() - OTHER_PORTS.start();
    #[allow(clippy::cast_possible_truncation)] // any number does
    let first = (clock::monotonic() >> 10) as u16;
    let mut bound = Ok(());
    for attempt in 0..ATTEMPTS {
        let port = OTHER_PORTS.start() + first.wrapping_add(attempt * 769) % ports;
        bound = socket.bind(&SocketAddrV4::new(ADDRESS, port).into());
        if bound.is_ok() {
            break;
        }
    }
    bound
}

/// How a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// Nobody has answered yet.
    Pending,
    /// There is a listener at the port, or a program that has accepted the connection.
    Established,
    /// It was refused, or reset, or closed: the listener may have gone.
    Ended,
}

impl Link {
    /// Looks once. What a program has sent, which no lock does, is read and forgotten.
    pub(crate) fn of(connection: &ForkSocket) -> Self {
        let mut forgotten = [0; 512];
        match (&**connection).read(&mut forgotten) {
            Ok(0) => Self::Ended,
            Ok(_) => Self::Established,
            Err(error) => match error.raw_os_error() {
                Some(errno::EAGAIN | errno::EINTR) if is_established(connection) => {
                    Self::Established
                }
                Some(errno::EAGAIN | errno::EINTR) => Self::Pending,
                // So says Windows of a connection that is on its way; and of one that has failed, with why.
                Some(errno::ENOTCONN)
                    if cfg!(windows) && matches!(connection.take_error(), Ok(None)) =>
                {
                    Self::Pending
                }
                _ => Self::Ended,
            },
        }
    }
}

/// Whether it has another end, which is not itself.
fn is_established(connection: &Socket) -> bool {
    let (own, peer) = (connection.local_addr(), connection.peer_addr());
    matches!((own, peer), (Ok(own), Ok(peer)) if own != peer)
}

/// Whether it is one of the sockets that are made here: bound at a lock's port, connected to one, or still
/// to be bound. Nothing in here allocates.
#[cfg(unix)]
pub(super) fn is_ours(descriptor: RawFd) -> bool {
    let Ok(own) = getsockname::<SockaddrIn>(descriptor) else { return false };
    // SAFETY: it is open, as the call before has shown, and borrowed for this call only.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    if getsockopt(&borrowed, sockopt::SockType) != Ok(SockType::Stream) {
        return false;
    }
    let is_locks = |it: SockaddrIn| it.ip() == ADDRESS && PORTS.contains(&it.port());
    let is_waiters =
        own.ip() == WAITERS || own.ip() == ADDRESS && OTHER_PORTS.contains(&own.port());
    match getpeername::<SockaddrIn>(descriptor) {
        Ok(peer) => is_waiters && is_locks(peer),
        // Servers set `SO_REUSEADDR`, as a rule; locks never do.
        Err(nix::Error::ENOTCONN) if is_locks(own) => {
            getsockopt(&borrowed, sockopt::ReuseAddr) == Ok(false)
        }
        Err(nix::Error::ENOTCONN) => own.port() == 0 || own.ip() == WAITERS,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::net::{TcpListener, TcpStream};
    #[cfg(unix)]
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::sys::poll;

    #[test]
    fn a_connection_tells_of_its_listeners_end_and_the_port_is_free_then() {
        let port = 40_007;
        let listener = bound_at(port).unwrap();
        assert!(bound_at(port).is_err());
        let refused = connected_to(port).map(|silent| Link::of(&silent));
        assert!(matches!(refused, Ok(Link::Ended) | Err(_)), "{refused:?}");
        listener.listen(8).unwrap();
        let connection = connected_to(port).unwrap();
        while Link::of(&connection) == Link::Pending {}
        assert_eq!(Link::of(&connection), Link::Established);
        drop(connected_to(port).unwrap()); // who gives up
        drop(listener);
        poll::wait_readable(&connection, None).unwrap();
        assert_eq!(Link::of(&connection), Link::Ended);
        drop(bound_at(port).unwrap());
    }

    #[test]
    #[cfg(unix)]
    fn a_child_closes_no_socket_of_the_program() {
        let server = TcpListener::bind((ADDRESS, 0)).unwrap();
        let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
        let (accepted, _) = server.accept().unwrap();
        assert!(!is_ours(server.as_raw_fd()) && !is_ours(client.as_raw_fd()));
        assert!(!is_ours(accepted.as_raw_fd()) && !is_ours(0));
        let lock = bound_at(40_008).unwrap();
        assert!(is_ours(lock.as_raw_fd()) && is_ours(ForkSocket::new_tcp().unwrap().as_raw_fd()));
        lock.listen(8).unwrap();
        let connection = connected_to(40_008).unwrap();
        assert!(is_ours(lock.as_raw_fd()) && is_ours(connection.as_raw_fd()));
        drop(lock);
        assert!(is_ours(connection.as_raw_fd()));
    }
}
