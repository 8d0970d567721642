//! The numbers of users, processes and threads.

#[cfg(not(any(target_os = "netbsd", target_os = "openbsd", target_os = "dragonfly")))]
use nix::libc;
use nix::sys::signal::kill;
use nix::unistd::{geteuid, Pid};

/// The user that this process runs as, or this thread (credentials(7)).
pub(crate) fn effective_uid() -> u32 {
    geteuid().as_raw()
}

/// Whether no process has this pid, as far as the system says. (A zombie still has one.)
pub(crate) fn is_gone(pid: u32) -> bool {
    i32::try_from(pid).map_or(true, |pid| kill(Pid::from_raw(pid), None) == Err(nix::Error::ESRCH))
}

/// The kernel's number of the calling thread, for people to read; 0 where it has none that is seen elsewhere.
pub(crate) fn thread() -> u32 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return u32::try_from(nix::unistd::gettid().as_raw()).unwrap_or_default();
    #[cfg(target_os = "freebsd")]
    // SAFETY: the call takes nothing, and always succeeds (pthread_getthreadid_np(3)).
    return u32::try_from(unsafe { libc::pthread_getthreadid_np() }).unwrap_or_default();
    #[cfg(target_vendor = "apple")]
    {
        let mut number = 0;
        // SAFETY: the pointer is to a number; without a thread it is about the calling one.
        unsafe { libc::pthread_threadid_np(0, &mut number) };
        u32::try_from(number).unwrap_or_default()
    }
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_vendor = "apple"
    )))]
    0
}

/// See [`Process::random`](crate::sys::process::Process::random).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn random() -> u64 {
    // SAFETY: getauxval(3) only looks its argument up.
    let address = unsafe { libc::getauxval(libc::AT_RANDOM) };
    let bytes = address as *const [u8; 16];
    if bytes.is_null() {
        return 0;
    }
    // SAFETY: the kernel has put 16 bytes there, at the bottom of the stack, for as long as the program
    // runs (getauxval(3)). No address is too low to be one: it is not null.
    let bytes = u128::from_ne_bytes(unsafe { bytes.read_unaligned() });
    #[allow(clippy::cast_possible_truncation)] // both halves
    let folded = bytes as u64 ^ (bytes >> 64) as u64;
    folded.max(1)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn random() -> u64 {
    0 // it is not known
}
