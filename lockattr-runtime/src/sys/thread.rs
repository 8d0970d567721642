//! Which thread this is.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use super::generation::generation;
use super::ids;

/// This thread, for as long as it lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread {
    /// Never used again in this process, unlike the kernel's ids; another one in a forked child.
    pub(crate) token: NonZeroU64,
    /// The kernel's id (gettid(2)), for people to read; 0 where it is not known.
    pub(crate) tid: u32,
    /// Its process: see [`generation`].
    pub(crate) generation: u32,
}

thread_local! {
    static CURRENT: Cell<Option<Thread>> = const { Cell::new(None) };
}

/// The calling thread. After a fork the child's thread is another one than the parent's.
#[inline]
pub(crate) fn current() -> Thread {
    let generation = generation();
    match CURRENT.try_with(Cell::get) {
        Ok(Some(thread)) if thread.generation == generation => thread,
        _ => first_seen(generation),
    }
}

#[cold]
fn first_seen(generation: u32) -> Thread {
    static TOKENS: AtomicU64 = AtomicU64::new(1);

    let token = NonZeroU64::new(TOKENS.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU64::MAX);
    let thread = Thread { token, tid: ids::thread(), generation };
    let _ = CURRENT.try_with(|current| current.set(Some(thread)));
    thread
}
