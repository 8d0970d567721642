//! The clocks.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use nix::libc;

use crate::sys::generation::generation;

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes since the boot share: what a record's times
/// are compared by. (`std::time::Instant` is the same clock, but hides the number.)
#[inline]
pub(crate) fn monotonic() -> u64 {
    nanoseconds(libc::CLOCK_MONOTONIC)
}

/// As [`monotonic`], and up to a tick of the kernel's clock behind (4 ms mostly), at a fifth of its
/// price.
#[cfg(all(target_os = "linux", target_env = "gnu"))] // for semaphores
#[inline]
pub(crate) fn monotonic_coarse() -> u64 {
    nanoseconds(libc::CLOCK_MONOTONIC_COARSE)
}

/// Nanoseconds for which this thread has had a processor.
pub(crate) fn work() -> u64 {
    nanoseconds(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Nanoseconds since 1970 by the wall clock: for people to read, never to wait by.
pub(crate) fn wall() -> u64 {
    nanoseconds(libc::CLOCK_REALTIME)
}

/// What the wall clock showed at `monotonic`, a time just read. Both clocks are read anew every 10 ms
/// only, so a step of the wall clock is seen that much later: half of the price of each grant.
#[inline]
pub(crate) fn wall_at(monotonic: u64) -> u64 {
    const ANEW: u64 = 10_000_000;

    thread_local! {
        /// The monotonic clock and the wall clock at one time.
        static READ: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }
    // Fails only while the thread ends.
    let (then, wall_then) = READ.try_with(Cell::get).unwrap_or_default();
    match monotonic.checked_sub(then) {
        Some(since) if since < ANEW && then != 0 => wall_then + since,
        _ => {
            let wall = wall();
            let _ = READ.try_with(|read| read.set((monotonic, wall)));
            wall
        }
    }
}

#[inline]
#[allow(clippy::disallowed_methods)] // the one place for it
fn nanoseconds(clock: libc::clockid_t) -> u64 {
    let mut time = timespec(0);
    // SAFETY: the pointer is to a timespec. None of these clocks can fail (clock_gettime(2): EINVAL is for
    // unknown clocks), nor go below zero.
    unsafe { libc::clock_gettime(clock, &mut time) };
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)] // the C types differ
    let (seconds, nanoseconds) = (time.tv_sec as u64, time.tv_nsec as u64);
    seconds * 1_000_000_000 + nanoseconds
}

/// `nanoseconds` for the C library.
pub(crate) fn timespec(nanoseconds: u64) -> libc::timespec {
    // SAFETY: a timespec is integers (with padding on some targets), and zeroes are one.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    time.tv_sec = (nanoseconds / 1_000_000_000).try_into().unwrap_or(i32::MAX.into());
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // less than a billion
    {
        time.tv_nsec = (nanoseconds % 1_000_000_000) as _;
    }
    time
}

/// How many seconds the machine's zone is ahead of UTC, `seconds` after 1970. Looked up once a minute
/// at most.
pub(crate) fn utc_offset(seconds: u64) -> i64 {
    Zone::at(seconds / 60).offset()
}

/// The machine's zone at one time, in one atomic: the minute since 1970 in which it was looked up (0 if
/// never), and how many seconds it is ahead of UTC.
#[derive(Clone, Copy)]
struct Zone(u64);

static ZONE: AtomicU64 = AtomicU64::new(0);

impl Zone {
    fn at(minute: u64) -> Self {
        let known = Self(ZONE.load(Ordering::Relaxed));
        // A forked child goes on with what its parent knew: see `look_up_utc_offset`. If that was nothing, and
        // there was no other thread, it looks once. Else its times are in UTC.
        let may_look = || !is_forked() || known.0 == 0 && WAS_ALONE.load(Ordering::Relaxed);
        if known.0 >> 32 == minute || !may_look() {
            return known;
        }
        let offset = i32::try_from(look_up_utc_offset(minute * 60)).unwrap_or(0);
        #[allow(clippy::cast_sign_loss)] // all bits of it
        let new = Self(minute << 32 | u64::from(offset as u32));
        ZONE.store(new.0, Ordering::Relaxed);
        new
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // the lower half
    fn offset(self) -> i64 {
        i64::from(self.0 as u32 as i32)
    }
}

/// Whether this process was forked by one that used this library.
fn is_forked() -> bool {
    /// Stored before `main` runs.
    static FIRST: AtomicU32 = AtomicU32::new(0);

    let generation = generation();
    match FIRST.compare_exchange(0, generation, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => false,
        Err(first) => first != generation,
    }
}

/// Whether the process had one thread at the last fork before it looked up the zone.
static WAS_ALONE: AtomicBool = AtomicBool::new(false);

/// Before a fork it is noted whether the child may look up the zone. It is not looked up then: a signal handler that
/// forks may have interrupted the memory allocator, or the C library's own look.
#[cfg_attr(miri, allow(dead_code))] // it has no fork
extern "C" fn install() {
    unsafe extern "C" fn prepare() {
        if !HAS_LOOKED.load(Ordering::Relaxed) {
            WAS_ALONE.store(is_alone(), Ordering::Relaxed);
        }
    }

    is_forked();
    // SAFETY: the handler is a function of this program that lives as long as it does. If it cannot
    // be installed, a child may show its times in UTC.
    unsafe { libc::pthread_atfork(Some(prepare), None, None) };
}

before_main!(install);

/// Whether this process has one thread, as far as `/proc` tells. For signal handlers, too.
fn is_alone() -> bool {
    /// The folder's two names, and the one of its one thread's folder in it.
    const LINKS: u64 = 3;

    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: a text that ends with a zero, and a place for the answer; zeroes are a valid one.
    let (result, status) = unsafe {
        (libc::stat(c"/proc/self/task".as_ptr(), status.as_mut_ptr()), status.assume_init())
    };
    #[allow(clippy::useless_conversion)] // the C types differ
    let links = u64::from(status.st_nlink);
    result == 0 && links == LINKS
}

/// Whether the zone was looked up, or is being so.
static HAS_LOOKED: AtomicBool = AtomicBool::new(false);

/// Asks the C library, which takes a lock of its own for this: not to be called in a forked child,
/// where that lock may have been copied in the hands of a thread that was not.
fn look_up_utc_offset(seconds: u64) -> i64 {
    HAS_LOOKED.store(true, Ordering::Relaxed);
    let seconds = timespec(seconds.saturating_mul(1_000_000_000)).tv_sec;
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; localtime_r writes a `tm` or returns null, and
    // then the zeroes stay, which are a valid `tm`. It reads the variable TZ (glibc once, at the first
    // call): a program that changes its environment while it has threads breaks its own promise, as
    // `std::env::set_var` says.
    let tm = unsafe {
        libc::localtime_r(&seconds, tm.as_mut_ptr());
        tm.assume_init()
    };
    #[allow(clippy::useless_conversion)] // `c_long` has 32 bits elsewhere
    tm.tm_gmtoff.into()
}
