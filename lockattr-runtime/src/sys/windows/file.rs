//! Reading files.

use std::fs::File;
use std::io;
use std::os::windows::fs::FileExt as _;

/// The number of a file; it is not known.
#[allow(clippy::unnecessary_wraps)] // as on unixes, where it may fail
pub(crate) fn inode(_: &File) -> io::Result<u64> {
    Ok(0)
}

/// Reads all of `buffer` from `offset` on.
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.seek_read(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
