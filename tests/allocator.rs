//! An allocator that locks itself before each fork, as jemalloc does: its handlers and this library's must
//! not wait for each other.

#![allow(unsafe_code)] // an allocator, at-fork handlers, fork

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::wait::waitpid;
use nix::unistd::{fork, ForkResult};
use support::{open, unique_names, LONG};

/// Held by each allocation, and by a fork. Its handlers are installed by the first allocation.
struct Locking;

static IS_HELD: AtomicBool = AtomicBool::new(false);

fn hold() {
    static HAS_HANDLERS: AtomicBool = AtomicBool::new(false);

    unsafe extern "C" fn prepare() {
        acquire();
    }
    unsafe extern "C" fn after() {
        IS_HELD.store(false, Ordering::Release);
    }
    fn acquire() {
        while IS_HELD.swap(true, Ordering::Acquire) {
            thread::yield_now();
        }
    }
    if !HAS_HANDLERS.swap(true, Ordering::Relaxed) {
        // SAFETY: the handlers are functions of this program, and lock and unlock a flag.
        unsafe { libc::pthread_atfork(Some(prepare), Some(after), Some(after)) };
    }
    acquire();
}

// SAFETY: it is the system's, within a lock.
unsafe impl GlobalAlloc for Locking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold();
        // SAFETY: the caller's promises are the same.
        let memory = unsafe { System.alloc(layout) };
        IS_HELD.store(false, Ordering::Release);
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        hold();
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) };
        IS_HELD.store(false, Ordering::Release);
    }
}

#[global_allocator]
static ALLOCATOR: Locking = Locking;

#[test]
fn forks_wait_for_no_thread_that_waits_for_the_allocator() {
    nix::unistd::alarm::set(LONG.as_secs().try_into().unwrap());
    let names = unique_names("allocator");
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..3 {
            let (names, ends) = (&names, &ends);
            scope.spawn(move || {
                while !ends.load(Ordering::Relaxed) {
                    for name in names {
                        // Each time a new state in the library's table: allocations within.
                        drop(open(&format!("{number}-{}", &**name)).acquire(LONG).unwrap());
                    }
                }
            });
        }
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(700) {
            // SAFETY: the child ends at once.
            match unsafe { fork() }.unwrap() {
                // SAFETY: as above.
                ForkResult::Child => unsafe { libc::_exit(0) },
                ForkResult::Parent { child } => drop(waitpid(child, None).unwrap()),
            }
        }
        ends.store(true, Ordering::Relaxed);
    });
    for number in 0..3 {
        for name in &names {
            support::remove(&format!("{number}-{}", &**name));
        }
    }
}
