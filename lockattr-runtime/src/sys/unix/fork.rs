//! What a child must not take over from its parent: descriptors, and memory that a thread of the parent
//! was just changing.
//!
//! A copy of a lock's socket keeps the lock taken after its holder gave it back; a copy of a waiter's
//! socket keeps a place in the queue that nobody waits at. So each such socket is entered here, and
//! closed in a child.
//!
//! The [`gate`] makes this safe between threads. A thread creates, receives or closes such a socket while
//! it holds the gate, and [`Gated`] values are reached through it only. There are two kinds of children:
//! - One of `fork(2)`. A handler of `pthread_atfork(3)` takes the gate before, so the child finds all of
//!   this at rest; a second one closes the copied sockets in the child.
//! - One without handlers (`_Fork`, `clone`), which [`generation`] tells of. There the gate may have
//!   been copied in the hands of a thread that was not, and what it guards half changed. The first use in
//!   the child makes a new gate, closes the copied sockets, and lets every [`Gated`] value begin anew.
//!
//! Children that share the parent's memory (`vfork`, `posix_spawn`, `CLONE_VM`) are expected to `exec`:
//! all sockets are close-on-exec. For the moment between the two see the port backend's ghosts.

use std::cell::{Cell, UnsafeCell};
use std::io;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{compiler_fence, AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::libc;

use crate::sys::descriptors;
use crate::sys::generation::{self, generation};

/// Shows that its owner holds the gate: no fork finds this thread half way.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Counts the gates that were copied without a handler: see [`Gated`].
    epoch: u32,
    /// The copies of this process's sockets are still open.
    copies_of: Option<u32>,
}

/// A gate, and the process that it belongs to.
struct Post {
    /// 0 before its first use.
    generation: AtomicU32,
    /// Its pid.
    pid: AtomicU32,
    epoch: u32,
    gate: Mutex<Gate>,
}

static FIRST: Post = Post {
    generation: AtomicU32::new(0),
    pid: AtomicU32::new(0),
    epoch: 0,
    gate: Mutex::new(Gate { epoch: 0, copies_of: None }),
};

/// The gate in use; none before the first child without handlers.
static CURRENT: AtomicPtr<Post> = AtomicPtr::new(ptr::null_mut());

/// The highest epoch so far in this line of forks.
static EPOCH: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Whether this thread holds the gate, or is about to take it or to give it back.
    static IS_INSIDE: AtomicBool = const { AtomicBool::new(false) };

    /// How many forks are under way in this thread that began inside of the gate, in a signal handler.
    static FORKS_FROM_INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// Takes the gate: no fork happens in this process until the guard is dropped.
///
/// Keep it for a few system calls that do not block. No code of the user runs under it.
///
/// # Errors
/// `EDEADLK` if this thread holds it already, as where a signal handler uses a lock. `ENOMEM` if the
/// handlers cannot be installed.
#[inline]
pub(crate) fn gate() -> io::Result<Guard> {
    install_handlers()?;
    let inside = Inside::enter().ok_or_else(|| io::Error::from_raw_os_error(libc::EDEADLK))?;
    let gate = post().gate.lock().unwrap_or_else(PoisonError::into_inner);
    let mut guard = Guard { gate, _inside: inside };
    if let Some(creator) = guard.copies_of.take() {
        descriptors::close_copies_in_a_clone(creator);
    }
    Ok(guard)
}

/// Holds the gate.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Declared first, and so given back first.
    gate: MutexGuard<'static, Gate>,
    _inside: Inside,
}

impl Deref for Guard {
    type Target = Gate;

    fn deref(&self) -> &Gate {
        &self.gate
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Gate {
        &mut self.gate
    }
}

/// Marks this thread from before it takes the gate until after it has given it back. So a signal handler
/// can tell whether it has interrupted that.
#[derive(Debug)]
struct Inside {
    /// Not sent: the mark is this thread's.
    _not_send: PhantomData<*const ()>,
}

impl Inside {
    #[inline]
    fn enter() -> Option<Self> {
        // A load and a store: nobody but a signal handler of this thread comes in between.
        let was_inside = IS_INSIDE.with(|inside| {
            let was_inside = inside.load(Ordering::Relaxed);
            inside.store(true, Ordering::Relaxed);
            was_inside
        });
        // For a signal handler of this thread, the mark comes before the lock.
        compiler_fence(Ordering::SeqCst);
        (!was_inside).then(|| Self { _not_send: PhantomData })
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        IS_INSIDE.with(|inside| inside.store(false, Ordering::Relaxed));
    }
}

/// The gate of this process.
#[inline]
fn post() -> &'static Post {
    let current = current();
    let generation = generation();
    if current.generation.load(Ordering::Relaxed) == generation {
        return current;
    }
    renew(current, generation)
}

#[inline]
fn current() -> &'static Post {
    // SAFETY: what is stored there was leaked by `renew`.
    unsafe { CURRENT.load(Ordering::Acquire).as_ref() }.unwrap_or(&FIRST)
}

#[cold]
fn renew(copied: &'static Post, generation: u32) -> &'static Post {
    // Nobody has used it: the first use in the first process, or in a child of one that had none.
    let unused =
        copied.generation.compare_exchange(0, generation, Ordering::Relaxed, Ordering::Relaxed);
    match unused {
        Ok(_) => {
            copied.pid.store(std::process::id(), Ordering::Relaxed);
            return copied;
        }
        Err(other) if other == generation => return copied,
        Err(_) => {}
    }
    let epoch = EPOCH.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let new = Box::into_raw(Box::new(Post {
        generation: generation.into(),
        epoch,
        pid: std::process::id().into(),
        gate: Mutex::new(Gate { epoch, copies_of: Some(copied.pid.load(Ordering::Relaxed)) }),
    }));
    let old = ptr::from_ref(copied).cast_mut();
    let old = if ptr::eq(old, &FIRST) { ptr::null_mut() } else { old };
    if CURRENT.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok() {
        // SAFETY: it was just leaked.
        return unsafe { &*new };
    }
    // SAFETY: this thread has just made it, and nobody has seen it.
    drop(unsafe { Box::from_raw(new) });
    post()
}

/// What is only reached under the gate: like a mutex, but without a lock of its own. In a child that was
/// made without handlers it begins anew as the default; the copy, which a thread of the parent may have
/// been changing, is neither read nor dropped.
#[derive(Debug)]
pub(crate) struct Gated<T> {
    /// That of the gate under which the value was reached last.
    epoch: UnsafeCell<u32>,
    value: UnsafeCell<ManuallyDrop<T>>,
}

// SAFETY: both cells are reached through `Gate` only, by one thread at a time.
unsafe impl<T: Send> Sync for Gated<T> {}

impl<T> Gated<T> {
    /// In a process that was not made without handlers, or as a value that is never reached in one.
    pub(crate) const fn new(value: T) -> Self {
        Self { epoch: UnsafeCell::new(0), value: UnsafeCell::new(ManuallyDrop::new(value)) }
    }
}

impl<T: Default> Default for Gated<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Default> Gated<T> {
    pub(crate) fn get<'a>(&'a self, gate: &'a mut Gate) -> &'a mut T {
        // SAFETY: a process has one `Gate`, in a mutex, which is lent out for as long as the value is: so
        // nobody else is in this value or in any other. (A gate that was copied is not entered again but
        // by the thread that was inside, in a child forked by a signal handler. There `IS_INSIDE` keeps
        // that thread, the only one, out of the new gate.)
        unsafe {
            if *self.epoch.get() != gate.epoch {
                self.value.get().write(ManuallyDrop::new(T::default()));
                *self.epoch.get() = gate.epoch;
            }
            &mut *self.value.get()
        }
    }
}

impl<T> Drop for Gated<T> {
    fn drop(&mut self) {
        if *self.epoch.get_mut() == post().epoch {
            // SAFETY: the value is not used after this; it is whole, as it is of this epoch.
            unsafe { ManuallyDrop::drop(self.value.get_mut()) };
        }
    }
}

/// A fork under way, from [`prepare`] to [`parent`] and [`child`].
struct Passage(UnsafeCell<Option<Guard>>);

// SAFETY: only the thread that holds the gate touches the cell: `prepare` after it has locked,
// `parent` and `child` before they unlock. `child` runs in the copy of that very thread.
unsafe impl Sync for Passage {}

static PASSAGE: Passage = Passage(UnsafeCell::new(None));

#[inline]
fn install_handlers() -> io::Result<()> {
    static STAND: AtomicBool = AtomicBool::new(false);
    static INSTALLING: Mutex<()> = Mutex::new(());

    if STAND.load(Ordering::Acquire) || cfg!(miri) {
        return Ok(());
    }
    let _installing = INSTALLING.lock();
    if STAND.load(Ordering::Acquire) {
        return Ok(());
    }
    // SAFETY: the handlers are functions of this program that live as long as it does, and what
    // runs in the child is async-signal-safe: close(2), atomics, and the unlocking of a mutex.
    let error = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    STAND.store(true, Ordering::Release);
    Ok(())
}

/// Installs the handlers before `main` runs. Installed later, one could come into the middle of a
/// fork that does not know of it yet, and a lock taken at that moment would be copied.
#[cfg_attr(miri, allow(dead_code))] // it has no fork
extern "C" fn install() {
    // An allocator may install handlers of its own at its first use, and those run in the reverse
    // order before a fork: it must not lock itself before the gate is free, under which others allocate.
    drop(std::hint::black_box(Box::new(0_u64)));
    // Should it fail, the first use of a lock hears of it.
    let _ = install_handlers();
}

before_main!(install);

unsafe extern "C" fn prepare() {
    // In a signal handler that has interrupted this thread inside of the gate, to wait for the gate would
    // be to wait for ever. The child is then as one that was made without handlers.
    let Ok(gate) = gate() else {
        FORKS_FROM_INSIDE.with(|forks| forks.set(forks.get() + 1));
        return;
    };
    // SAFETY: this thread holds the gate, see `Passage`. What stood there is a copy, if anything: of a
    // guard of a fork that was under way in another thread of a parent without handlers.
    mem::forget(unsafe { PASSAGE.0.get().replace(Some(gate)) });
}

unsafe extern "C" fn parent() {
    if !ends_a_fork_from_inside() {
        // SAFETY: this thread holds the gate since `prepare`, see `Passage`.
        drop(unsafe { (*PASSAGE.0.get()).take() });
    }
}

unsafe extern "C" fn child() {
    if ends_a_fork_from_inside() {
        return;
    }
    // SAFETY: this thread is the copy of the one that holds the gate since `prepare`.
    let Some(gate) = (unsafe { (*PASSAGE.0.get()).take() }) else {
        return;
    };
    generation::begin_in_a_child();
    descriptors::close_copies();
    // All is at rest, and this process's from now on.
    current().pid.store(std::process::id(), Ordering::Relaxed);
    current().generation.store(generation(), Ordering::Relaxed);
    drop(gate);
}

fn ends_a_fork_from_inside() -> bool {
    FORKS_FROM_INSIDE.with(|forks| {
        let is_one = forks.get() > 0;
        forks.set(forks.get().saturating_sub(1));
        is_one
    })
}
