//! Stream sockets that no child keeps; those at abstract addresses, and the passing of one over another.

use std::ffi::{c_int, OsStr};
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::ops::Deref;
pub(crate) use std::os::fd::OwnedFd as Owned;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use nix::libc;
use nix::sys::socket::{
    getsockopt, sendmsg, socketpair, sockopt, AddressFamily, ControlMessage, MsgFlags, SockFlag,
    SockType,
};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::sys::closer::{close_aside, drop_within, Tally};
use crate::sys::generation::generation;
use crate::sys::namespace::Network;
use crate::sys::{descriptors, fork};

/// A socket that a forked child does not keep: see [`fork`]. Close-on-exec, never blocking.
#[derive(Debug)]
pub(crate) struct ForkSocket {
    /// Always there but inside of what closes it.
    socket: Option<Socket>,
    generation: u32,
    /// How many bytes may lie unread in it that carry nothing which is slow to close; [`UNCONNECTED`] where
    /// nothing can.
    harmless: AtomicI32,
    /// That of [`network`](Self::network), once it was asked for; 0 before.
    network: AtomicU64,
    /// Where what came over it is counted until it is closed.
    tally: Option<Arc<Tally>>,
}

const UNCONNECTED: i32 = -1;

impl ForkSocket {
    /// A new, unbound socket for abstract addresses.
    pub(crate) fn new() -> io::Result<Self> {
        Self::of(Domain::UNIX)
    }

    /// A new, unbound socket for ports: see [`tcp`](crate::sys::tcp).
    pub(crate) fn new_tcp() -> io::Result<Self> {
        Self::of(Domain::IPV4)
    }

    fn of(domain: Domain) -> io::Result<Self> {
        let mut gate = fork::gate()?;
        let socket = Socket::new(domain, Type::STREAM.nonblocking(), None)?;
        Ok(Self::enter(socket, &mut gate))
    }

    fn enter(socket: Socket, _gate: &mut fork::Gate) -> Self {
        descriptors::enter(socket.as_raw_fd());
        Self {
            socket: Some(socket),
            generation: generation(),
            harmless: AtomicI32::new(UNCONNECTED),
            network: AtomicU64::new(0),
            tally: None,
        }
    }

    /// Connects to `address`.
    pub(crate) fn connect(&self, address: &SockAddr) -> io::Result<()> {
        (**self).connect(address)?;
        self.harmless.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// What [`receive_socket`] found is a lock: its message, which stays in the queue, is harmless.
    pub(crate) fn carries_a_lock(&self) {
        self.harmless.store(1, Ordering::Relaxed);
    }

    /// Accepts a connection, if there is one: it and the address of its other end.
    pub(crate) fn accept_one(&self) -> io::Result<(Self, SockAddr)> {
        let mut gate = fork::gate()?;
        let (connection, address) = self.accept()?;
        let connection = Self::enter(connection, &mut gate);
        connection.harmless.store(0, Ordering::Relaxed);
        Ok((connection, address))
    }

    /// For a wait.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }

    /// The network namespace that this belongs to: that of the thread that made it, or, of one that was received,
    /// that of the connection it came over. (An abstract address is found in one namespace only, so the two are
    /// the same for every socket of a queue.)
    pub(crate) fn network(&self) -> Network {
        match self.network.load(Ordering::Relaxed) {
            0 => {
                let network = Network::of(self);
                self.network.store(network.word(), Ordering::Relaxed);
                network
            }
            known => Network::from_word(known),
        }
    }

    /// What comes over this connection counts there until it is closed.
    pub(crate) fn count_in(&mut self, tally: &Arc<Tally>) {
        self.tally = Some(Arc::clone(tally));
    }

    /// Closes a descriptor that is none of ours, and came over `connection`. That may take long.
    pub(crate) fn discard(mut self, connection: &Self) {
        if let Some((socket, gate)) = self.take_out() {
            drop(gate);
            close_aside(socket.into(), connection.tally.clone());
        }
    }

    /// Closes a listener whose queue may hold what is slow to close: in another thread, for which it waits
    /// no longer than `patience`. The address is free as soon as the `close` begins (`unix_release_sock`
    /// in the kernel's `net/unix/af_unix.c` takes it out of the table first).
    ///
    /// A fork that falls into the moment between the gate and the `close` copies it. That is the price: under
    /// the gate it would keep every other user of the gate waiting.
    pub(crate) fn close_within(mut self, patience: Duration) {
        if let Some((socket, gate)) = self.take_out() {
            drop(gate);
            drop_within(socket, patience);
        }
    }

    /// Takes the socket out of those that a child closes; the gate is still held. None in a child: there
    /// it is closed by other means, and the number may be another descriptor's by now.
    fn take_out(&mut self) -> Option<(Socket, io::Result<fork::Guard>)> {
        let socket = self.socket.take()?;
        // Before the gate, which a child that was made without handlers must not wait for here.
        if self.is_an_ancestors() {
            let _ = socket.into_raw_fd();
            return None;
        }
        // Fails only in a signal handler that has interrupted this thread inside of the gate. Then the
        // socket is closed without it, and a fork at that moment may copy it.
        let gate = fork::gate();
        descriptors::leave(socket.as_raw_fd());
        Some((socket, gate))
    }

    /// Whether this socket was made before a fork, and so is closed in this process.
    pub(crate) fn is_an_ancestors(&self) -> bool {
        self.generation != generation()
    }
}

impl Deref for ForkSocket {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        match &self.socket {
            Some(socket) => socket,
            None => unreachable!("only what closes the socket takes it"),
        }
    }
}

impl AsFd for ForkSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        (**self).as_fd()
    }
}

impl Drop for ForkSocket {
    fn drop(&mut self) {
        let harmless = *self.harmless.get_mut();
        if let Some((socket, gate)) = self.take_out() {
            if harmless == UNCONNECTED || is_clean(&socket, harmless) {
                // Under the gate: no fork sees it open and not entered.
                drop(socket);
                drop(gate);
            } else {
                drop(gate);
                close_aside(socket.into(), self.tally.take());
            }
        }
    }
}

/// The network namespace of the calling thread.
pub(crate) fn network_here() -> io::Result<Network> {
    Ok(ForkSocket::new()?.network())
}

/// Ends a connection, and tells whether no more than `harmless` bytes lie in it unread: each can carry
/// descriptors that are slow to close. (A message of no bytes carries none on a stream: the loop of
/// `unix_stream_sendmsg` sends nothing then.)
fn is_clean(connection: &Socket, harmless: c_int) -> bool {
    // After this nothing more can come. Fails only where the other end has gone already.
    let _ = connection.shutdown(Shutdown::Both);
    let mut unread: c_int = 0;
    // SAFETY: FIONREAD writes one int (unix(7), SIOCINQ), and the pointer is to one.
    let result = unsafe { libc::ioctl(connection.as_raw_fd(), libc::FIONREAD, &mut unread) };
    result == 0 && unread <= harmless
}

/// The abstract address `\0name` (unix(7)).
///
/// # Errors
/// If `name` has more than 107 bytes.
pub(crate) fn abstract_address(name: &[u8]) -> io::Result<SockAddr> {
    let mut path = Vec::with_capacity(1 + name.len());
    path.push(0);
    path.extend_from_slice(name);
    SockAddr::unix(OsStr::from_bytes(&path))
}

/// Whether `socket` is a unix stream socket that is bound to `address`, or was accepted there.
pub(crate) fn belongs_to(socket: &Socket, address: &SockAddr) -> bool {
    socket.local_addr().is_ok_and(|local| local == *address)
        && socket.r#type().is_ok_and(|kind| kind == Type::STREAM)
}

/// What the kernel says about the process at the other end of a connection. For the end that
/// connected this is the process that called `listen`, and what it was then (unix(7), `SO_PEERCRED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// None where the process cannot be seen from this pid namespace.
    pub(crate) pid: Option<u32>,
    pub(crate) uid: u32,
}

pub(crate) fn peer(connection: &Socket) -> io::Result<Peer> {
    let credentials = getsockopt(connection, sockopt::PeerCredentials)?;
    let pid = u32::try_from(credentials.pid()).ok().filter(|pid| *pid != 0);
    Ok(Peer { pid, uid: credentials.uid() })
}

/// Sends `descriptor` over `connection`, without waiting and without `SIGPIPE`.
pub(crate) fn send_descriptor(connection: &Socket, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    sendmsg::<()>(
        connection.as_raw_fd(),
        &[IoSlice::new(&[0])], // a stream carries a descriptor beside at least one byte
        &[ControlMessage::ScmRights(&[descriptor.as_raw_fd()])],
        MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        None,
    )?;
    Ok(())
}

/// One descriptor for two sockets: they stay open until its last copy is closed. They are on their way to it, and
/// nobody receives them (unix(7), `SCM_RIGHTS`).
pub(crate) fn bundle(sockets: [BorrowedFd<'_>; 2]) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let (bundle, sender) = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)?;
    sendmsg::<()>(
        sender.as_raw_fd(),
        &[IoSlice::new(&[0])],
        &[ControlMessage::ScmRights(&sockets.map(|socket| socket.as_raw_fd()))],
        MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        None,
    )?;
    Ok(bundle)
}

/// What a look at a connection finds.
#[derive(Debug)]
pub(crate) enum Received {
    /// Nothing came yet.
    Nothing,
    /// A socket, not yet looked at.
    Socket(ForkSocket),
    /// A socket came, and this process had no free descriptor for it: the kernel has dropped it.
    Dropped,
    /// The other end hung up, or sent something else.
    Ended,
}

/// Looks once whether a socket has come over `connection`.
///
/// The message itself stays in the connection's queue, so none of its descriptors is the last one of what
/// it refers to, and what is not wanted of them costs no time here. It goes with the connection.
pub(crate) fn receive_socket(connection: &ForkSocket) -> io::Result<Received> {
    // The received descriptor is entered before the gate opens: no fork copies it unseen.
    let mut gate = fork::gate()?;
    match receive_descriptors(connection) {
        Ok(message) => {
            let mut descriptors = message.descriptors.into_iter();
            let first = descriptors.next();
            Ok(match first {
                Some(first) if descriptors.len() == 0 && !message.control_truncated => {
                    let mut socket = ForkSocket::enter(first.into(), &mut gate);
                    *socket.network.get_mut() = connection.network.load(Ordering::Relaxed);
                    Received::Socket(socket)
                }
                // More descriptors than one are no lock.
                Some(first) => {
                    drop(gate);
                    for descriptor in [first].into_iter().chain(descriptors) {
                        close_aside(descriptor, connection.tally.clone());
                    }
                    Received::Ended
                }
                None if message.control_truncated => Received::Dropped,
                None => Received::Ended,
            })
        }
        Err(error) => match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR) => Ok(Received::Nothing),
            Some(libc::ECONNRESET) => Ok(Received::Ended),
            _ => Err(error),
        },
    }
}

struct Message {
    /// All that came, owned, so that what is not wanted is closed.
    descriptors: Vec<OwnedFd>,
    control_truncated: bool,
}

/// `recvmsg`, by hand: nix refuses to look into a truncated control message, which may carry some
/// descriptors all the same, and those would leak.
#[allow(
    clippy::cast_possible_truncation, // sizes of a few bytes
    clippy::cast_ptr_alignment,       // read unaligned
    clippy::unnecessary_cast          // the C types differ between libcs
)]
fn receive_descriptors(connection: &Socket) -> io::Result<Message> {
    /// Room for one descriptor; alignment makes it two. A union, to be aligned as its header.
    #[repr(C)]
    union Control {
        _aligned: libc::cmsghdr,
        bytes: [u8; CONTROL_BYTES],
    }
    const DESCRIPTOR_BYTES: u32 = std::mem::size_of::<RawFd>() as u32;
    // SAFETY: CMSG_SPACE only computes (cmsg(3)).
    const CONTROL_BYTES: usize = unsafe { libc::CMSG_SPACE(DESCRIPTOR_BYTES) } as usize;

    let mut byte = 0_u8;
    let mut data = libc::iovec { iov_base: ptr::addr_of_mut!(byte).cast(), iov_len: 1 };
    let mut control = Control { bytes: [0; CONTROL_BYTES] };
    // SAFETY: a message header of zeroes is valid, and empty.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &mut data;
    message.msg_iovlen = 1;
    message.msg_control = ptr::addr_of_mut!(control).cast();
    message.msg_controllen = CONTROL_BYTES as _;
    // SAFETY: every pointer in the header is to a local that outlives the call, with its length.
    let received = unsafe {
        libc::recvmsg(
            connection.as_raw_fd(),
            &mut message,
            libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT | libc::MSG_PEEK,
        )
    };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }

    let mut descriptors = Vec::new();
    // SAFETY: the header is as the kernel left it, and the macros walk the control messages in it;
    // the data of an SCM_RIGHTS message are descriptors that the kernel has just made for this
    // process (unix(7)), unaligned as the macros' pointers may be, and nobody else knows of them.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while !header.is_null() {
            let libc::cmsghdr { cmsg_level, cmsg_type, cmsg_len, .. } = *header;
            if (cmsg_level, cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let bytes = cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let first = libc::CMSG_DATA(header).cast::<RawFd>();
                for index in 0..bytes / DESCRIPTOR_BYTES as usize {
                    descriptors.push(OwnedFd::from_raw_fd(first.add(index).read_unaligned()));
                }
            }
            header = libc::CMSG_NXTHDR(&message, header);
        }
    }
    Ok(Message { descriptors, control_truncated: message.msg_flags & libc::MSG_CTRUNC != 0 })
}
