//! What the shapes share.

use lockattr::{Backend, Lock};

#[cfg(not(feature = "plain"))]
pub use lockattr::interprocess_lock;
#[cfg(feature = "plain")]
pub use plain::interprocess_lock;

/// Whether the lock is taken, as another thread sees it.
pub fn is_held(name: &str) -> bool {
    let probe = || Lock::open(Backend::Port, name).unwrap().is_locked().unwrap();
    std::thread::scope(|scope| scope.spawn(probe).join().unwrap())
}

/// Removes the records of all locks of the shapes.
pub fn clean_up(prefix: &str) {
    for entry in std::fs::read_dir("/dev/shm").unwrap().flatten() {
        if entry.file_name().to_string_lossy().contains(prefix) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
