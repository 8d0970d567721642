//! `/proc` (proc(5)), as far as it is this process's own: mounted for its pid namespace. Another one has
//! other processes under the same pids.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sys::generation::generation;

/// Reads `/proc/PID/FILE`.
///
/// # Errors
/// Also `NotFound` where `/proc` is not this process's own.
pub(crate) fn read(pid: u32, file: &str) -> io::Result<Vec<u8>> {
    const ENOUGH: usize = 1024; // for what is read again and again while a process waits

    let mut file = open(pid, file)?;
    let mut content = vec![0; ENOUGH];
    // These files come at one go as far as there is room (seq_file in the kernel's documentation), so less
    // than there is room for is all of it.
    let length = loop {
        match file.read(&mut content) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    content.truncate(length);
    if length == ENOUGH {
        file.read_to_end(&mut content)?;
    }
    Ok(content)
}

/// Opens `/proc/PID/FILE`, as [`read`] does.
///
/// # Errors
/// As [`read`].
pub(crate) fn open(pid: u32, file: &str) -> io::Result<File> {
    check_own()?;
    File::open(format!("/proc/{pid}/{file}"))
}

/// Reads `/proc/locks`, with the pids that the processes have to this one.
///
/// # Errors
/// As [`read`].
pub(crate) fn locks() -> io::Result<Vec<u8>> {
    const ENOUGH: usize = 16_384; // not less than a page, which the kernel gives at one go

    check_own()?;
    let mut locks = Vec::with_capacity(ENOUGH);
    File::open("/proc/locks")?.read_to_end(&mut locks)?;
    Ok(locks)
}

/// The descriptors that this process has.
///
/// # Errors
/// As [`read`].
pub(crate) fn descriptors() -> io::Result<Vec<RawFd>> {
    check_own()?;
    let numbers = fs::read_dir(format!("/proc/{}/fd", process::id()))?;
    Ok(numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// The user that a process runs as.
pub(crate) fn uid(pid: u32) -> Option<u32> {
    check_own().ok()?;
    fs::metadata(format!("/proc/{pid}")).ok().map(|folder| folder.uid())
}

/// Whether `/proc` shows this process under its own pid, and what is found at other pids is what they
/// mean to this process.
pub(crate) fn is_own() -> bool {
    check_own().is_ok()
}

/// Looks each time which `/proc` it is: a process may enter another mount namespace.
fn check_own() -> io::Result<()> {
    /// What was found last: the number of the process, the device of `/proc`, and whether it is its own.
    static KNOWN: AtomicU64 = AtomicU64::new(0);

    let device = fs::metadata("/proc")?.dev();
    let device = (device ^ device >> 31) & 0x7fff_ffff;
    let asked = u64::from(generation()) << 32 | device << 1;
    let mut known = KNOWN.load(Ordering::Relaxed);
    if known & !1 != asked {
        known = asked | u64::from(is_of_this_namespace()?);
        KNOWN.store(known, Ordering::Relaxed);
    }
    if known & 1 == 1 {
        Ok(())
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// The kernel lists the pids that this process has, from the namespace that `/proc` is mounted for down to
/// its own: one, if that is the same (Linux 4.1; a kernel without pid namespaces lists none).
fn is_of_this_namespace() -> io::Result<bool> {
    let status = match fs::read("/proc/self/status") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        status => status?,
    };
    let status = String::from_utf8_lossy(&status); // a command's name may be any bytes
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let own = process::id().to_string();
    Ok(match field("NSpid:") {
        Some(pids) => pids.split_ascii_whitespace().eq([own.as_str()]),
        None => field("Pid:").is_some_and(|pid| pid.trim() == own),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_finds_itself() {
        assert!(is_own() && is_of_this_namespace().unwrap());
        let name = fs::read("/proc/self/comm").unwrap();
        assert_eq!(read(process::id(), "comm").unwrap(), name);
        assert!(uid(process::id()).is_some() && uid(4_194_303).is_none());
    }
}
