//! What `fork` must not copy.
//!
//! A forked child has copies of its parent's descriptors. A copy of a lock's socket keeps the lock
//! taken after its holder gave it back; a copy of a waiter's socket keeps a place in the queue that
//! nobody waits at. So every such socket is entered in the [`Gate`], and a handler of
//! `pthread_atfork(3)` closes them all in the child.
//!
//! The gate is also what makes this safe between threads: whoever creates, receives or closes such
//! a socket does so while holding the gate, and the handler that runs before a fork takes it. So no
//! fork sees a socket that exists and is not entered, or is entered and does not exist any more.
//! A mutex that is only ever locked by threads that hold the gate is never copied while locked.
//!
//! Children made without the handlers (`vfork`, `posix_spawn`) are expected to `exec`: all sockets
//! are close-on-exec. For the moment between the two see the port backend's ghosts.

use std::cell::UnsafeCell;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::libc;

use super::clock;
use super::process::Process;

/// The process-wide state that a fork must find at rest.
pub(crate) struct Gate {
    handlers_stand: bool,
    /// Bit `n % 64` of word `n / 64`: descriptor `n` is to be closed in a forked child.
    descriptors: Vec<u64>,
    /// Who this process is: read once, and again after a fork.
    process: Option<Process>,
    /// The minute since 1970 in which the machine's distance from UTC was looked up, and the seconds.
    zone: Option<(u64, i64)>,
}

static GATE: Mutex<Gate> =
    Mutex::new(Gate { handlers_stand: false, descriptors: Vec::new(), process: None, zone: None });

/// How many forks lie between this process and the first one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The number of this process in its line of forks. What was made under another number belongs to
/// an ancestor: its descriptors are closed here, and it must be left alone.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Installs the handlers before `main` runs. Installed later, one could come into the middle of a
/// fork that does not know of it yet, and a lock taken at that moment would be copied.
#[used]
#[cfg_attr(target_os = "linux", link_section = ".init_array")]
static AT_START: extern "C" fn() = {
    extern "C" fn install() {
        // Should it fail, the first who wants the gate hears of it.
        drop(gate());
    }
    install
};

/// Takes the gate: no fork happens in this process until the guard is dropped.
///
/// Keep it for a few system calls that do not block, and never take it twice. No code of the user
/// runs under it.
///
/// # Errors
/// `ENOMEM` if the handlers cannot be installed.
#[inline]
pub(crate) fn gate() -> io::Result<MutexGuard<'static, Gate>> {
    let mut gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    if !gate.handlers_stand {
        // SAFETY: the handlers are functions of this program that live as long as it does, and what
        // runs in the child is async-signal-safe: close(2), atomics, and the unlocking of a mutex.
        let error = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        gate.handlers_stand = true;
    }
    Ok(gate)
}

/// What only those touch who hold the gate: like a mutex, but without a lock of its own, and never
/// copied by a fork while somebody is in it.
#[derive(Debug, Default)]
pub(crate) struct Gated<T>(UnsafeCell<T>);

// SAFETY: the value is reached through `Gate` only, of which there is one, by one thread at a time.
unsafe impl<T: Send> Sync for Gated<T> {}

impl<T> Gated<T> {
    pub(crate) fn get<'a>(&'a self, _gate: &'a mut Gate) -> &'a mut T {
        // SAFETY: `Gate` is made once, in a static mutex, and is lent out for as long as the value is:
        // so nobody else is in this value or in any other.
        unsafe { &mut *self.0.get() }
    }
}

impl Gate {
    pub(super) fn enter(&mut self, descriptor: RawFd) {
        let (word, bit) = position(descriptor);
        if word >= self.descriptors.len() {
            self.descriptors.resize(word + 1, 0);
        }
        self.descriptors[word] |= bit;
    }

    pub(super) fn leave(&mut self, descriptor: RawFd) {
        let (word, bit) = position(descriptor);
        if let Some(word) = self.descriptors.get_mut(word) {
            *word &= !bit;
        }
    }

    /// This process. It is read under the gate: a fork in between would leave the child with its
    /// parent's data.
    pub(crate) fn process(&mut self) -> &Process {
        self.process.get_or_insert_with(Process::read)
    }

    /// How many seconds the machine's zone is ahead of UTC. A forked child goes on with what its
    /// parent knew, which [`prepare`] has refreshed: see [`clock::look_up_utc_offset`].
    pub(super) fn utc_offset(&mut self, minute: u64) -> i64 {
        match self.zone {
            Some((_, offset)) if generation() > 0 => offset,
            None if generation() > 0 => 0,
            Some((looked_up, offset)) if looked_up == minute => offset,
            _ => {
                let offset = clock::look_up_utc_offset(minute * 60);
                self.zone = Some((minute, offset));
                offset
            }
        }
    }

    /// Closes everything that was entered. Allocates nothing and frees nothing: another thread of
    /// the parent may have been inside the allocator.
    fn close_all(&mut self) {
        for (index, word) in self.descriptors.iter_mut().enumerate() {
            while *word != 0 {
                let descriptor = index * 64 + word.trailing_zeros() as usize;
                *word &= *word - 1;
                if let Ok(descriptor) = RawFd::try_from(descriptor) {
                    // SAFETY: the descriptor was entered by its owner, which keeps it open until it
                    // leaves the gate; in this child, that owner's drop sees another generation and
                    // does not close it again.
                    unsafe { libc::close(descriptor) };
                }
            }
        }
    }
}

fn position(descriptor: RawFd) -> (usize, u64) {
    // Descriptors are not negative; a wrong one would only be entered at a place of its own.
    let descriptor = usize::try_from(descriptor).unwrap_or_default();
    (descriptor / 64, 1 << (descriptor % 64))
}

/// The gate while a fork is under way: taken by [`prepare`], given back by [`parent`] and [`child`].
struct Passage(UnsafeCell<Option<MutexGuard<'static, Gate>>>);

// SAFETY: only the thread that holds the gate touches the cell: `prepare` after it has locked,
// `parent` and `child` before they unlock. `child` runs in the copy of that very thread.
unsafe impl Sync for Passage {}

static PASSAGE: Passage = Passage(UnsafeCell::new(None));

unsafe extern "C" fn prepare() {
    let mut gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    gate.utc_offset(clock::wall() / 60_000_000_000);
    // SAFETY: this thread holds the gate, see `Passage`.
    unsafe { *PASSAGE.0.get() = Some(gate) };
}

unsafe extern "C" fn parent() {
    // SAFETY: this thread holds the gate since `prepare`, see `Passage`.
    drop(unsafe { (*PASSAGE.0.get()).take() });
}

unsafe extern "C" fn child() {
    // SAFETY: this thread is the copy of the one that holds the gate since `prepare`.
    let Some(mut gate) = (unsafe { (*PASSAGE.0.get()).take() }) else {
        return;
    };
    GENERATION.fetch_add(1, Ordering::Relaxed);
    gate.close_all();
    gate.process = None;
}
