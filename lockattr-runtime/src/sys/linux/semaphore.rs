//! POSIX semaphores in a file, as `sem_open(3)` keeps them.
//!
//! `sem_open` itself is not used: it takes a lock of the C library (so a forked child might hang in
//! it), it maps a file that was cut without a look at its size (the first touch is a SIGBUS), and its
//! mode is masked by the umask. What is left of it is to map the file, `/dev/shm/sem.NAME`
//! (`sem_overview(7)`), as a `sem_t`.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::mem::{size_of, transmute, MaybeUninit};
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::thread;
use std::time::Duration;

use nix::libc;

use crate::sys::clock;
use crate::sys::mapping::{Mapping, Shareable};
use crate::sys::SEMAPHORE_BYTES;

const _: () = assert!(SEMAPHORE_BYTES == size_of::<libc::sem_t>());

/// A semaphore that other processes use as well.
#[derive(Debug)]
pub(crate) struct Semaphore(Mapping<Cell>);

#[derive(Debug)]
#[repr(transparent)]
struct Cell(UnsafeCell<libc::sem_t>);

// SAFETY: a `sem_t` is integers, of which any bits are valid, and is only touched by the functions of
// the C library that are made for it.
unsafe impl Shareable for Cell {
    const LENGTH: NonZeroUsize = match NonZeroUsize::new(SEMAPHORE_BYTES) {
        Some(length) => length,
        None => unreachable!(),
    };
}

impl Semaphore {
    /// Maps the semaphore in `file`, which must have [`SEMAPHORE_BYTES`] at least.
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        Mapping::map(file).map(Self)
    }

    fn raw(&self) -> *mut libc::sem_t {
        self.0.get().0.get()
    }

    /// Takes a unit, if there is one.
    pub(crate) fn try_wait(&self) -> bool {
        // SAFETY: the pointer is to a mapped semaphore. All that can go wrong is that it has no unit.
        unsafe { libc::sem_trywait(self.raw()) == 0 }
    }

    /// Takes a unit, sleeping until `deadline` (nanoseconds of `CLOCK_MONOTONIC`) at most; whether it
    /// has one. May return early, when a signal was handled: look, and wait again.
    pub(crate) fn wait_until(&self, deadline: u64) -> bool {
        match clock_wait() {
            Some(clock_wait) => {
                let end = clock::timespec(deadline);
                // SAFETY: the pointers are to a mapped semaphore and to a timespec with less than a
                // second of nanoseconds; the clock is one that the function knows (sem_clockwait in
                // glibc's manual).
                unsafe { clock_wait(self.raw(), libc::CLOCK_MONOTONIC, &end) == 0 }
            }
            None => self.look_until(deadline),
        }
    }

    /// As [`wait_until`](Self::wait_until), where the C library has no `sem_clockwait` (glibc before
    /// 2.30). `sem_timedwait` is no substitute: its deadline is one of the wall clock, and when
    /// that is set back by an hour meanwhile, as `ntpd` may do after a boot, it sleeps an hour longer.
    /// Slices do not help, for each is such a deadline. So this looks, at first often and then every
    /// millisecond: late by a millisecond at most, and never by more.
    fn look_until(&self, deadline: u64) -> bool {
        const LAST: Duration = Duration::from_millis(1);

        let mut pause = Duration::from_micros(20);
        loop {
            if self.try_wait() {
                return true;
            }
            let left = Duration::from_nanos(deadline.saturating_sub(clock::monotonic()));
            if left.is_zero() {
                return false;
            }
            thread::sleep(pause.min(left)); // CLOCK_MONOTONIC
            pause = (pause * 2).min(LAST);
        }
    }

    /// Gives a unit back, and wakes a waiter.
    ///
    /// # Errors
    /// `EOVERFLOW` if it has `SEM_VALUE_MAX` units already, which is some 2 billions.
    pub(crate) fn post(&self) -> io::Result<()> {
        // SAFETY: the pointer is to a mapped semaphore.
        match unsafe { libc::sem_post(self.raw()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// How many units there are: 0 is taken, 1 is free, more is a mistake of somebody's.
    pub(crate) fn value(&self) -> u32 {
        // SAFETY: the pointer is to a mapped semaphore.
        unsafe { value(self.raw()) }
    }
}

/// The bytes of a semaphore with one unit, for a new file.
pub(crate) fn new_bytes() -> [u8; SEMAPHORE_BYTES] {
    let mut semaphore = MaybeUninit::<libc::sem_t>::zeroed();
    // SAFETY: the pointer is to the space of a semaphore; sem_init only writes there, and fails only
    // for values that are too large (sem_init(3)). What it leaves are plain bytes, which were zeroes
    // before.
    unsafe {
        libc::sem_init(semaphore.as_mut_ptr(), SHARED_BETWEEN_PROCESSES, 1);
        transmute::<MaybeUninit<libc::sem_t>, [u8; SEMAPHORE_BYTES]>(semaphore)
    }
}

const SHARED_BETWEEN_PROCESSES: libc::c_int = 1;

/// How many units the semaphore has whose bytes these are: a look without a mapping.
pub(crate) fn value_in(bytes: &[u8; SEMAPHORE_BYTES]) -> u32 {
    // SAFETY: any bytes are a valid `sem_t`, and the copy is aligned as one.
    unsafe {
        let mut copy = bytes.as_ptr().cast::<libc::sem_t>().read_unaligned();
        value(ptr::addr_of_mut!(copy))
    }
}

/// # Safety
/// `semaphore` is a valid pointer to one.
unsafe fn value(semaphore: *mut libc::sem_t) -> u32 {
    let mut value = 0;
    // SAFETY: the caller's promise; sem_getvalue only reads, and cannot fail then (sem_getvalue(3)).
    unsafe { libc::sem_getvalue(semaphore, &mut value) };
    u32::try_from(value).unwrap_or(0)
}

type ClockWait =
    unsafe extern "C" fn(*mut libc::sem_t, libc::clockid_t, *const libc::timespec) -> libc::c_int;

/// `sem_clockwait`, where the C library has one: glibc since 2.30. Asked for at run time: a program
/// that was built to run with an older one still starts there.
fn clock_wait() -> Option<ClockWait> {
    static FOUND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    static IS_MISSING: AtomicBool = AtomicBool::new(false);

    let mut found = FOUND.load(Ordering::Relaxed);
    if found.is_null() && !IS_MISSING.load(Ordering::Relaxed) {
        // SAFETY: the name ends with a NUL, and RTLD_DEFAULT asks among what is loaded (dlsym(3)).
        found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"sem_clockwait".as_ptr()) };
        IS_MISSING.store(found.is_null(), Ordering::Relaxed);
        FOUND.store(found, Ordering::Relaxed);
    }
    // SAFETY: what glibc calls by this name has this type (its manual, "Waiting with Explicit Clocks").
    (!found.is_null()).then(|| unsafe { transmute::<*mut c_void, ClockWait>(found) })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn semaphore() -> Semaphore {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&new_bytes()).unwrap();
        Semaphore::map(&file).unwrap()
    }

    #[test]
    fn a_new_semaphore_has_one_unit() {
        assert_eq!(value_in(&new_bytes()), 1);
        let semaphore = semaphore();
        assert_eq!(semaphore.value(), 1);
        assert!(semaphore.try_wait() && !semaphore.try_wait());
        assert_eq!(semaphore.value(), 0);
        semaphore.post().unwrap();
        semaphore.post().unwrap();
        assert_eq!(semaphore.value(), 2);
    }

    #[test]
    fn both_ways_to_wait_end_on_time_and_take_what_comes() {
        let semaphore = semaphore();
        for wait in [Semaphore::wait_until, Semaphore::look_until] {
            assert!(wait(&semaphore, clock::monotonic()));
            let end = clock::monotonic() + 20_000_000;
            assert!(!wait(&semaphore, end));
            assert!(clock::monotonic() >= end);
            thread::scope(|scope| {
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(5));
                    semaphore.post().unwrap();
                });
                assert!(wait(&semaphore, clock::monotonic() + 60_000_000_000));
            });
            semaphore.post().unwrap();
        }
    }
}
