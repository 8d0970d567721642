//! The descriptors that a child closes: see [`fork`](super::fork).
//!
//! They stand in a map of bits that grows and never shrinks. All of it is atomic: a child that was made
//! while a thread of its parent was changing the map reads it all the same.

use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use nix::libc;
use nix::sys::socket::{getpeername, getsockname, UnixAddr};

/// What the abstract addresses of this library's sockets begin with, those of locks and of waiters alike.
pub(crate) const ADDRESS_PREFIXES: [&[u8]; 4] =
    [b"/portlock/", b"/portwait/", b"/semturn/", b"/semwait/"];

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
pub(super) fn enter(descriptor: RawFd) {
    let (mut part, mut index) = (&FIRST, position(descriptor));
    while index >= Part::DESCRIPTORS {
        part = part.grown();
        index -= Part::DESCRIPTORS;
    }
    part.words[index / 64].fetch_or(1 << (index % 64), Ordering::Relaxed);
}

/// Takes out a socket that this process is about to close.
pub(super) fn leave(descriptor: RawFd) {
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

/// Closes all sockets in a child that has just been forked, and takes them out. Allocates nothing and
/// frees nothing: another thread of the parent may have been inside the allocator.
pub(super) fn close_all() {
    take_all(close);
}

/// As [`close_all`], some time after the fork: the program may have closed a copy meanwhile, and what has
/// its number now is left alone.
pub(super) fn close_copies() {
    take_all(|descriptor| {
        if is_ours(descriptor) {
            close(descriptor);
        }
    });
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

/// Whether it is a socket of a lock: bound at an address of ours, accepted at one, or connected to one.
fn is_ours(descriptor: RawFd) -> bool {
    let is_ours = |address: nix::Result<UnixAddr>| {
        address.is_ok_and(|address| {
            address
                .as_abstract()
                .is_some_and(|name| ADDRESS_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        })
    };
    is_ours(getsockname(descriptor)) || is_ours(getpeername(descriptor))
}
