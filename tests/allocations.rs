//! What the expansion costs beside the runtime that it calls: no allocation, also for a name from
//! arguments that was seen before.

#![allow(unsafe_code)] // an allocator that counts

#[path = "support/leftovers.rs"]
mod leftovers;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use lockattr::{interprocess_lock, Lock, LockError};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all is left to the system's allocator; the count touches no memory of the caller's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as this function's own contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as this function's own contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations a thousand calls make, after a first one.
fn allocations(mut call: impl FnMut()) -> usize {
    call();
    let before = ALLOCATIONS.get();
    (0..1000).for_each(|_| call());
    ALLOCATIONS.get() - before
}

static BY_HAND: Lock = Lock::port("allocations-test/by-hand");

#[cfg(target_env = "gnu")] // it does not compile elsewhere
static SEMAPHORE: Lock = Lock::semaphore("allocations-test");

#[interprocess_lock("allocations-test/fixed")]
fn fixed(n: u32) -> Result<u32, LockError> {
    Ok(n)
}

#[interprocess_lock("allocations-test/{n}", info = "number {n}")]
fn named(n: u32) -> Result<u32, LockError> {
    Ok(n)
}

#[test]
fn the_expansion_allocates_nothing() {
    leftovers::remove_at_exit("allocations", &["allocations-test"]);
    let by_hand = allocations(|| drop(BY_HAND.acquire(Duration::from_secs(9)).unwrap()));
    assert_eq!(allocations(|| assert!(fixed(1).is_ok())), by_hand);
    assert_eq!(allocations(|| assert!(named(1).is_ok())), by_hand);
    println!("{by_hand} allocations in 1000 acquires by hand");
    assert_eq!(by_hand, 0);
}

#[test]
#[cfg(target_env = "gnu")]
fn a_semaphore_allocates_nothing() {
    leftovers::remove_at_exit("allocations", &["allocations-test"]);
    let semaphore = allocations(|| drop(SEMAPHORE.acquire(Duration::from_secs(9)).unwrap()));
    assert_eq!(semaphore, 0);
}
