//! The numbers of users, processes and threads.

use windows_sys::Win32::System::Threading::GetCurrentThreadId;

/// There are no users by number, and nothing here that belongs to one.
pub(crate) fn effective_uid() -> u32 {
    0
}

/// Whether no process has this pid, as far as is known: there is no record here that would say when it began, so a
/// pid says nothing.
pub(crate) fn is_gone(_pid: u32) -> bool {
    false
}

/// The system's number of the calling thread, for people to read.
pub(crate) fn thread() -> u32 {
    // SAFETY: the call takes nothing, and cannot fail.
    unsafe { GetCurrentThreadId() }
}

/// See [`Process::random`](crate::sys::process::Process::random): it is not known.
pub(crate) fn random() -> u64 {
    0
}
