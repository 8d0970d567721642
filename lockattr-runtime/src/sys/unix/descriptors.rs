//! The descriptors that a child closes: see [`fork`](super::fork).
//!
//! They stand in a map of bits that grows and never shrinks. All of it is atomic: a child that was made
//! while a thread of its parent was changing the map can still read it.

use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use nix::libc;
#[cfg(any(target_os = "linux", target_os = "android"))]
use nix::sys::socket::{getpeername, getsockname, UnixAddr};

use crate::sys::tcp;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use tcp::is_ours;

/// What the abstract addresses of this library's sockets begin with, those of locks and of waiters alike.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const ADDRESS_PREFIXES: [&[u8]; 6] =
    [b"/portlock/", b"/portwait/", b"/semturn/", b"/semwait/", b"/tcpturn/", b"/tcpwait/"];

const WORDS: usize = 512;

/// A part of the map. Bit `n % 64` of word `n / 64` stands for the `n`th descriptor of the part.
struct Part {
    words: [AtomicU64; WORDS],
    next: AtomicPtr<Part>,
}

impl Part {
    const DESCRIPTORS: usize = WORDS * 64;

    const fn new() -> Self {
        #[allow(clippy::declare_interior_mutable_const)] // the pattern of an array of atomics
        const NONE: AtomicU64 = AtomicU64::new(0);
        Self { words: [NONE; WORDS], next: AtomicPtr::new(ptr::null_mut()) }
    }

    fn next(&self) -> Option<&'static Part> {
        // SAFETY: what is stored there was leaked by `grown`.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    /// The next part, made if there is none.
    fn grown(&self) -> &'static Part {
        if let Some(next) = self.next() {
            return next;
        }
        let new = Box::into_raw(Box::new(Part::new()));
        let null = ptr::null_mut();
        match self.next.compare_exchange(null, new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it was just leaked, for as long as the process lives.
            Ok(_) => unsafe { &*new },
            // SAFETY: this thread has just made `new`, and nobody has seen it; the other one was leaked.
            Err(earlier) => unsafe {
                drop(Box::from_raw(new));
                &*earlier
            },
        }
    }
}

/// Most processes need no other part.
static FIRST: Part = Part::new();

/// Enters a socket that this process has just made.
pub(crate) fn enter(descriptor: RawFd) {
    let (mut part, mut index) = (&FIRST, position(descriptor));
    while index >= Part::DESCRIPTORS {
        part = part.grown();
        index -= Part::DESCRIPTORS;
    }
    part.words[index / 64].fetch_or(1 << (index % 64), Ordering::Relaxed);
}

/// Takes out a socket that this process is about to close.
pub(crate) fn leave(descriptor: RawFd) {
    let (mut part, mut index) = (Some(&FIRST), position(descriptor));
    while index >= Part::DESCRIPTORS {
        part = part.and_then(Part::next);
        index -= Part::DESCRIPTORS;
    }
    if let Some(part) = part {
        part.words[index / 64].fetch_and(!(1 << (index % 64)), Ordering::Relaxed);
    }
}

fn position(descriptor: RawFd) -> usize {
    // Descriptors are not negative; a wrong one would only be entered at a place of its own.
    usize::try_from(descriptor).unwrap_or_default()
}

/// Closes all sockets in a child, and takes them out. Allocates nothing and frees nothing: another thread
/// of the parent may have been inside the allocator.
///
/// The program may have closed a copy before, in an at-fork handler of its own or since. What has the
/// number of one now is left alone.
pub(super) fn close_copies() {
    take_all(|descriptor| {
        if is_ours(descriptor) {
            close(descriptor);
        }
    });
}

/// As [`close_copies`], in a child that was made by `clone` of the process `creator`. It may have no copies,
/// but the very descriptors of that one (`CLONE_FILES`): where that cannot be ruled out, it closes none. A
/// copy that stays may keep a lock taken; to close the lock itself would give it away.
pub(super) fn close_copies_in_a_clone(creator: u32) {
    if has_other_descriptors_than(creator) {
        close_copies();
    } else {
        take_all(|_| {});
    }
}

/// Whether this process is a child of `creator`, and the kernel says that its descriptors are its own
/// (kcmp(2)).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_other_descriptors_than(creator: u32) -> bool {
    const KCMP_FILES: libc::c_int = 2; // `linux/kcmp.h`

    // SAFETY: these calls take numbers only.
    let (order, parent) = unsafe {
        let (this, parent) = (libc::getpid(), libc::getppid());
        (libc::syscall(libc::SYS_kcmp, this, parent, KCMP_FILES, 0, 0), parent)
    };
    // 0 are the same ones; -1 is an error.
    u32::try_from(parent) == Ok(creator) && order > 0
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_other_descriptors_than(_creator: u32) -> bool {
    false // nothing tells
}

fn take_all(close: impl Fn(RawFd)) {
    let (mut part, mut first) = (Some(&FIRST), 0);
    while let Some(this) = part {
        for (index, word) in this.words.iter().enumerate() {
            let mut bits = word.swap(0, Ordering::Relaxed);
            while bits != 0 {
                let descriptor = first + index * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if let Ok(descriptor) = RawFd::try_from(descriptor) {
                    close(descriptor);
                }
            }
        }
        part = this.next();
        first += Part::DESCRIPTORS;
    }
}

fn close(descriptor: RawFd) {
    // SAFETY: the descriptor was entered by its owner, which keeps it open until it leaves; in this
    // child, that owner's drop sees another generation and does not close it again.
    unsafe { libc::close(descriptor) };
}

/// Whether it is a socket of a lock: bound at an address of ours, accepted at one, or connected to one; or
/// one that is still to be bound.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_ours(descriptor: RawFd) -> bool {
    let is_ours = |address: UnixAddr| {
        address
            .as_abstract()
            .is_some_and(|name| ADDRESS_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    };
    match (getsockname::<UnixAddr>(descriptor), getpeername::<UnixAddr>(descriptor)) {
        (Ok(own), _) if own.as_abstract().is_some() => is_ours(own),
        (Ok(_), Ok(peer)) => is_ours(peer),
        (Ok(own), Err(nix::Error::ENOTCONN)) => own.path().is_none(),
        _ => tcp::is_ours(descriptor),
    }
}
