//! Ports that no other program takes away.

use std::io;
use std::mem::size_of;
use std::os::windows::io::AsRawSocket as _;

use socket2::Socket;
use windows_sys::Win32::Networking::WinSock::{setsockopt, SOL_SOCKET, SO_EXCLUSIVEADDRUSE};

/// Lets no other socket be bound at the port that this one will be bound at: without it any program could, by
/// `SO_REUSEADDR`.
pub(crate) fn own_alone(socket: &Socket) -> io::Result<()> {
    static YES: i32 = 1;
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // 4
    const BYTES: i32 = size_of::<i32>() as i32;

    #[allow(clippy::cast_possible_truncation)] // as std's `RawSocket` is made
    let raw = socket.as_raw_socket() as usize;
    // SAFETY: the socket is open, and the pointer is to an integer of the length that is told.
    let result = unsafe {
        let yes = std::ptr::addr_of!(YES).cast();
        setsockopt(raw, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, yes, BYTES)
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
