//! Which process this is in its line of forks, told without a system call and without a handler.
//!
//! Handlers of `pthread_atfork(3)` do not run for `_Fork(3)`, `clone(2)` and `clone3(2)` called
//! directly. The kernel tells of those as well: a page under `MADV_WIPEONFORK` (madvise(2), Linux 4.14)
//! is all zeroes in the child. So the number of this process stands in such a page, and a zero means
//! that this is a new process. Other systems than Linux have no such page, and are asked for the pid each time.
//!
//! Two kinds of children share the page with their parent and are taken for it: those of `vfork(2)` and
//! `posix_spawn(3)`, and those of `clone` with `CLONE_VM`. They share all of the parent's memory, and
//! may do nothing but `exec` or end.

use std::num::NonZeroUsize;
use std::process;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

#[cfg(any(target_os = "linux", target_os = "android"))]
use nix::libc;
use nix::sys::mman::munmap;
#[cfg(any(target_os = "linux", target_os = "android"))]
use nix::sys::mman::{mmap_anonymous, MapFlags, ProtFlags};

/// The number in the page that a child finds wiped. Null until the page is made, and for good where
/// the kernel wipes none.
static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// Where no page is wiped, each look costs a system call.
static ASKS_FOR_THE_PID: AtomicBool = AtomicBool::new(false);

/// The highest number in this line of forks so far. A child goes on counting from its parent's.
static HIGHEST: AtomicU32 = AtomicU32::new(0);

/// The number of this process in its line of forks, never 0. What was made under another number
/// belongs to an ancestor and must be left alone.
#[inline]
pub(crate) fn generation() -> u32 {
    let page = PAGE.load(Ordering::Acquire);
    if !page.is_null() {
        // SAFETY: the page lives as long as the process, and holds an atomic.
        let number = unsafe { &*page }.load(Ordering::Relaxed);
        if number != 0 {
            return number;
        }
    }
    look()
}

/// What a process finds out once, and a child anew. It is never freed: there is one for each fork in this
/// line.
pub(crate) struct OncePerProcess<T: 'static>(AtomicPtr<(u32, T)>);

impl<T: Send + Sync> OncePerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// What was found out by the process `generation`, the caller's.
    #[inline]
    pub(crate) fn get(&self, generation: u32) -> Option<&'static T> {
        // SAFETY: what is stored there was leaked.
        match unsafe { self.0.load(Ordering::Acquire).as_ref() } {
            Some((known, value)) if *known == generation => Some(value),
            _ => None,
        }
    }

    /// Several threads may find it out at the same time.
    #[inline]
    pub(crate) fn get_or_init(&self, find_out: impl FnOnce() -> T) -> &'static T {
        // Before the rest: a child that is forked meanwhile finds another number.
        let generation = generation();
        match self.get(generation) {
            Some(value) => value,
            None => self.init(generation, find_out()),
        }
    }

    #[cold]
    fn init(&self, generation: u32, value: T) -> &'static T {
        let mut new = Box::new((generation, value));
        loop {
            let found = self.0.load(Ordering::Acquire);
            // SAFETY: as above.
            match unsafe { found.as_ref() } {
                // The first one that finds it out speaks for all.
                Some((known, value)) if *known == generation => return value,
                _ => {}
            }
            let leaked = Box::into_raw(new);
            match self.0.compare_exchange(found, leaked, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: it was just leaked.
                Ok(_) => return unsafe { &(*leaked).1 },
                // SAFETY: it was just leaked, and nobody has seen it.
                Err(_) => new = unsafe { Box::from_raw(leaked) },
            }
        }
    }

    /// As [`get_or_init`](Self::get_or_init), and finds it out again as long as it is not final: something was
    /// short that may be there by now.
    #[inline]
    pub(crate) fn get_or_retry(&self, find_out: fn() -> T, is_final: fn(&T) -> bool) -> &'static T {
        let known = self.get_or_init(find_out);
        if is_final(known) {
            known
        } else {
            self.retry(known, find_out(), is_final)
        }
    }

    #[cold]
    fn retry(&self, known: &'static T, again: T, is_final: fn(&T) -> bool) -> &'static T {
        if !is_final(&again) {
            return known;
        }
        let new: &'static (u32, T) = Box::leak(Box::new((generation(), again)));
        self.0.store(ptr::from_ref(new).cast_mut(), Ordering::Release);
        &new.1
    }
}

/// Whether a new process is only noticed by asking for the pid each time.
pub(crate) fn asks_for_the_pid() -> bool {
    ASKS_FOR_THE_PID.load(Ordering::Relaxed)
}

/// Makes the page before `main` runs: as long as there is none, a child cannot be told from its
/// parent.
#[cfg_attr(miri, allow(dead_code))] // it has no `madvise` either
extern "C" fn begin() {
    generation();
}

before_main!(begin);

#[cold]
fn look() -> u32 {
    if cfg!(miri) {
        return 1; // it has no fork
    }
    let mut page = PAGE.load(Ordering::Acquire);
    if page.is_null() && !asks_for_the_pid() {
        page = install();
    }
    if page.is_null() {
        return by_pid();
    }
    // SAFETY: as in `generation`.
    let number = unsafe { &*page };
    let next = next();
    // Several threads of a new process may be here. One of them has its number taken.
    match number.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => next,
        Err(taken) => taken,
    }
}

fn next() -> u32 {
    match HIGHEST.fetch_add(1, Ordering::Relaxed).wrapping_add(1) {
        0 => next(),
        number => number,
    }
}

/// Makes the page; null where none is wiped.
fn install() -> *mut AtomicU32 {
    let Some(page) = wiped_page() else {
        ASKS_FOR_THE_PID.store(true, Ordering::Relaxed);
        return ptr::null_mut();
    };
    let null = ptr::null_mut();
    match PAGE.compare_exchange(null, page.as_ptr(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => page.as_ptr(),
        Err(earlier) => {
            // SAFETY: this thread has just made the mapping, and nobody has seen it.
            let _ = unsafe { munmap(page.cast(), LENGTH.get()) };
            earlier
        }
    }
}

/// Less than a page: mmap(2) and madvise(2) round up to whole pages, of whatever size.
const LENGTH: NonZeroUsize = NonZeroUsize::MIN;

/// A page of zeroes that a child finds as such, if the kernel can do that.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn wiped_page() -> Option<NonNull<AtomicU32>> {
    /// Not an advice (`mman.h`): a kernel answers `EINVAL`. qemu-user, up to 7.2 at least, answers 0 to
    /// any number and does nothing.
    const NO_ADVICE: libc::c_int = 0x4c41;

    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory of this program.
    let page = unsafe { mmap_anonymous(None, LENGTH, protection, MapFlags::MAP_PRIVATE) }.ok()?;
    // SAFETY: the advices are about the mapping that has just been made.
    let is_wiped = unsafe {
        libc::madvise(page.as_ptr(), LENGTH.get(), NO_ADVICE) != 0
            && libc::madvise(page.as_ptr(), LENGTH.get(), libc::MADV_WIPEONFORK) == 0
    };
    if is_wiped {
        return Some(page.cast());
    }
    // SAFETY: as above; nobody has a pointer into it.
    let _ = unsafe { munmap(page, LENGTH.get()) };
    None
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn wiped_page() -> Option<NonNull<AtomicU32>> {
    None
}

/// To be called in each child of `fork`: one in another pid namespace may have the pid of its parent.
pub(super) fn begin_in_a_child() {
    if asks_for_the_pid() {
        KNOWN.store(u64::from(process::id()) << 32 | u64::from(next()), Ordering::Relaxed);
    }
}

/// Where the pid is asked for: the one that was found last, and the number of its process.
static KNOWN: AtomicU64 = AtomicU64::new(0);

/// As [`generation`], by a system call. (A child that was made by `clone` in another pid namespace, with the
/// pid of its parent there, is taken for the parent.)
fn by_pid() -> u32 {
    let pid = u64::from(process::id());
    let known = KNOWN.load(Ordering::Relaxed);
    if known >> 32 == pid {
        #[allow(clippy::cast_possible_truncation)] // the lower half
        return known as u32;
    }
    let next = next();
    let new = pid << 32 | u64::from(next);
    match KNOWN.compare_exchange(known, new, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => next,
        Err(_) => by_pid(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stays_the_same_in_one_process_however_it_is_found() {
        assert_ne!(generation(), 0);
        assert_eq!(generation(), generation());
        assert_eq!(by_pid(), by_pid());
        let wipes = cfg!(any(target_os = "linux", target_os = "android"));
        assert_eq!(wiped_page().is_some(), wipes, "Linux wipes pages, and no other system");
        assert_ne!(asks_for_the_pid(), wipes);
    }
}
