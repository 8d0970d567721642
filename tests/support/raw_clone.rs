//! Children that are made by bare system calls, without at-fork handlers.

#![allow(unsafe_code)]

use std::mem::size_of_val;

use nix::errno::Errno;
use nix::libc;

/// A child, as `fork` makes one, with `flags` of clone(2) besides; its pid in the parent, 0 in the child.
///
/// # Safety
/// As `fork`'s: the child has one thread, and what the others were doing is half done. No flag may let the two share
/// memory.
pub unsafe fn clone(flags: i32) -> libc::c_long {
    // All arguments are words.
    let (flags, no) = (libc::c_long::from(libc::SIGCHLD | flags), 0 as libc::c_long);
    // "On the … s390 architectures, the order of the first two arguments is reversed" (clone(2)).
    let [first, second] = if cfg!(target_arch = "s390x") { [no, flags] } else { [flags, no] };
    // SAFETY: the caller's promise. Without CLONE_VM and a stack it is a fork.
    unsafe { libc::syscall(libc::SYS_clone, first, second, no, no, no) }
}

/// The same by clone3(2).
///
/// # Safety
/// As [`clone`]'s.
pub unsafe fn clone3() -> libc::c_long {
    // `struct clone_args` as it was at first, which the C library's headers do not have everywhere: numbers of 64 bits.
    const EXIT_SIGNAL: usize = 4;

    let mut arguments = [0_u64; 8];
    arguments[EXIT_SIGNAL] = libc::SIGCHLD.unsigned_abs().into();
    // SAFETY: the caller's promise; the kernel is told the arguments' size.
    unsafe { libc::syscall(libc::SYS_clone3, arguments.as_mut_ptr(), size_of_val(&arguments)) }
}

/// Whether there is a clone3(2): qemu-user has none, as Linux before 5.3.
pub fn has_clone3() -> bool {
    // SAFETY: it makes nothing with arguments of no size, and says EINVAL.
    let result = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null_mut::<u64>(), 0) };
    result != -1 || Errno::last() != Errno::ENOSYS
}
