//! Which process this is in its line of forks: there are none here.

use std::sync::OnceLock;

/// The number of this process.
#[inline]
pub(crate) fn generation() -> u32 {
    1
}

/// Whether a new process is only noticed by asking for the pid each time.
pub(crate) fn asks_for_the_pid() -> bool {
    false
}

/// What a process finds out once.
pub(crate) struct OncePerProcess<T: 'static>(OnceLock<T>);

impl<T: Send + Sync> OncePerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// What was found out.
    pub(crate) fn get(&'static self, _generation: u32) -> Option<&'static T> {
        self.0.get()
    }

    pub(crate) fn get_or_init(&'static self, find_out: impl FnOnce() -> T) -> &'static T {
        self.0.get_or_init(find_out)
    }

    /// As [`get_or_init`](Self::get_or_init): nothing is short here that may be there later.
    pub(crate) fn get_or_retry(
        &'static self,
        find_out: fn() -> T,
        _is_final: fn(&T) -> bool,
    ) -> &'static T {
        self.get_or_init(find_out)
    }
}
