//! Whether anybody listens, and the mark of a thread that emits.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tracing::Level;

/// As in `target: tell::emit::TARGET`: what filters know the events by.
pub(super) const TARGET: &str = "lockattr";

/// Whether anybody may listen at all: a load and a comparison.
#[inline]
pub(crate) fn is_anything_heard() -> bool {
    #[cfg(feature = "log")]
    if log::max_level() != log::LevelFilter::Off {
        return true;
    }
    tracing::level_filters::LevelFilter::current() != tracing::level_filters::LevelFilter::OFF
}

/// Whether anybody may listen at `level`.
#[inline]
pub(super) fn is_heard(level: Level) -> bool {
    #[cfg(feature = "log")]
    if level <= log_level() {
        return true;
    }
    tracing::level_enabled!(level)
}

/// The level up to which `log` is heard. It is where tracing's events go if there is no subscriber.
#[cfg(feature = "log")]
fn log_level() -> tracing::level_filters::LevelFilter {
    use log::LevelFilter as Log;
    use tracing::level_filters::LevelFilter;

    match log::max_level() {
        Log::Off => LevelFilter::OFF,
        Log::Error => LevelFilter::ERROR,
        Log::Warn => LevelFilter::WARN,
        Log::Info => LevelFilter::INFO,
        Log::Debug => LevelFilter::DEBUG,
        Log::Trace => LevelFilter::TRACE,
    }
}

/// As events have it.
#[allow(clippy::cast_precision_loss)] // 53 bits of nanoseconds are 104 days
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

thread_local! {
    static EMITS: Cell<bool> = const { Cell::new(false) };
    /// The lock that this thread waits for, while it tells of that.
    static TOLD: RefCell<Option<Box<str>>> = const { RefCell::new(None) };
}

/// Runs `event`, unless this thread is in a subscriber already: what a subscriber does with locks is not told.
pub(super) fn emit(event: impl FnOnce()) {
    struct Mark;

    impl Drop for Mark {
        fn drop(&mut self) {
            let _ = EMITS.try_with(|emits| emits.set(false));
        }
    }

    // Fails only while the thread ends.
    if EMITS.try_with(|emits| emits.replace(true)) == Ok(false) {
        let _mark = Mark;
        event();
    }
}

/// Whether this thread is in a subscriber, or does what is not to be told.
pub(super) fn is_silent() -> bool {
    EMITS.try_with(Cell::get).unwrap_or(true)
}

/// As [`emit`], by a thread that waits for `lock`.
pub(super) fn emit_in_wait(lock: &str, event: impl FnOnce()) {
    struct Mark;

    impl Drop for Mark {
        fn drop(&mut self) {
            set_told(None);
        }
    }

    emit(|| {
        set_told(Some(lock.into()));
        let _mark = Mark;
        event();
    });
}

fn set_told(lock: Option<Box<str>>) {
    let _ = TOLD.try_with(|told| told.try_borrow_mut().map(|mut told| *told = lock));
}

pub(super) fn is_told(lock: &str) -> bool {
    let is_it = |told: &RefCell<Option<Box<str>>>| {
        told.try_borrow().is_ok_and(|told| told.as_deref() == Some(lock))
    };
    TOLD.try_with(is_it).unwrap_or(false)
}
