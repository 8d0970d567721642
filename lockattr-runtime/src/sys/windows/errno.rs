//! The errors that are told apart, by the names that they have on unixes.

use windows_sys::Win32::{Foundation as system, Networking::WinSock as sockets};

pub(crate) const EACCES: i32 = sockets::WSAEACCES;
pub(crate) const EADDRINUSE: i32 = sockets::WSAEADDRINUSE;
pub(crate) const EADDRNOTAVAIL: i32 = sockets::WSAEADDRNOTAVAIL;
pub(crate) const EAFNOSUPPORT: i32 = sockets::WSAEAFNOSUPPORT;
pub(crate) const EAGAIN: i32 = sockets::WSAEWOULDBLOCK;
pub(crate) const EBADF: i32 = sockets::WSAENOTSOCK;
pub(crate) const EDEADLK: i32 = number(system::ERROR_POSSIBLE_DEADLOCK);
/// What `connect` says on a socket that does not block.
pub(crate) const EINPROGRESS: i32 = sockets::WSAEWOULDBLOCK;
pub(crate) const EINTR: i32 = sockets::WSAEINTR;
pub(crate) const EMFILE: i32 = sockets::WSAEMFILE;
pub(crate) const ENFILE: i32 = number(system::ERROR_TOO_MANY_OPEN_FILES);
pub(crate) const ENOBUFS: i32 = sockets::WSAENOBUFS;
pub(crate) const ENOMEM: i32 = number(system::ERROR_NOT_ENOUGH_MEMORY);
pub(crate) const ENOTCONN: i32 = sockets::WSAENOTCONN;
pub(crate) const EPERM: i32 = number(system::ERROR_ACCESS_DENIED);

#[allow(clippy::cast_possible_wrap)] // a few thousand
const fn number(error: u32) -> i32 {
    error as i32
}
