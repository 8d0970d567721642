//! `Lock::remove_files`, beside those who use the lock.

mod support;

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use support::{listen, on_each_backend, open, say, Actor, LONG};

#[test]
fn role() {
    support::play(&[("acquire again and again", acquire_again_and_again), ("hold", support::hold)]);
}

fn witness(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{name}.witness"))
}

/// Acquires until its input ends, and says how often. A second holder finds the first one's file.
fn acquire_again_and_again(name: &str) {
    let lock = open(name);
    let is_over = AtomicBool::new(false);
    let mut count = 0_u32;
    let mut longest = Duration::ZERO;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            listen();
            is_over.store(true, Ordering::Relaxed);
        });
        while !is_over.load(Ordering::Relaxed) {
            let start = Instant::now();
            let guard = lock.acquire(LONG).unwrap();
            longest = longest.max(start.elapsed());
            let file = witness(name);
            drop(OpenOptions::new().write(true).create_new(true).open(&file).unwrap());
            fs::remove_file(&file).unwrap();
            drop(guard);
            count += 1;
            if count % 16 == 0 {
                std::thread::sleep(Duration::from_millis(1)); // a chance to be found free
            }
        }
    });
    say(&format!("{count} {}", longest.as_millis()));
}

#[test]
fn files_removed_beside_acquires_in_a_loop_cost_no_exclusion_and_stop_nobody() {
    on_each_backend("removed", |name| {
        let mut actors: Vec<_> =
            (0..3).map(|_| Actor::start("acquire again and again", name)).collect();
        let lock = open(name);
        let start = Instant::now();
        let mut removed = 0;
        while start.elapsed() < Duration::from_secs(2) || removed < 20 {
            assert!(start.elapsed() < LONG, "removed {removed} times");
            removed += u32::from(lock.remove_files().is_ok());
            std::thread::sleep(Duration::from_millis(3));
        }
        for actor in &mut actors {
            actor.tell("over");
            let said = actor.hear();
            let (count, longest) = said.split_once(' ').unwrap();
            assert!(count.parse::<u32>().unwrap() > 10, "{said}");
            assert!(longest.parse::<u32>().unwrap() < 5_000, "{said}");
        }
        assert!(!witness(name).exists());
    });
}

#[test]
fn a_lock_that_is_held_keeps_its_files_and_a_free_one_leaves_nothing() {
    on_each_backend("kept", |name| {
        let lock = open(name);
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        assert!(lock.remove_files().unwrap_err().is_timeout());
        assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
        holder.tell("release");
        holder.expect("released");
        lock.remove_files().unwrap();
        assert!(lock.last_holder().unwrap().is_none());
        drop(lock.acquire(LONG).unwrap());
    });
}

/// What lies in `/dev/shm` of a lock.
fn files(name: &str) -> Vec<PathBuf> {
    let all = fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.to_str().is_some_and(|path| path.contains(name))).collect()
}

/// A board without a clock battery leaves files of any time, and a program of any bug one of any size. The C library's
/// `stat` of old refuses to tell of them in programs of 32 bits (`EOVERFLOW`).
#[test]
fn files_with_a_time_or_a_size_beyond_32_bits_are_used_and_removed_as_others_are() {
    const BEYOND: Duration = Duration::from_secs(1 << 32);
    const LARGE: u64 = 3 << 30;

    on_each_backend("beyond", |name| {
        let lock = open(name);
        drop(lock.acquire(LONG).unwrap());
        for path in files(name) {
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            if !path.to_str().unwrap().contains("/sem.") {
                file.set_len(LARGE).unwrap();
            }
            file.set_modified(SystemTime::UNIX_EPOCH + BEYOND).unwrap();
        }
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let seen = lock.holder().unwrap().unwrap();
        assert_eq!(seen.info.as_deref(), Some("the test's holder"), "{seen:?}");
        holder.tell("release");
        holder.expect("released");
        holder.end();
        // A process looks every 10 ms whether its files have their names still.
        std::thread::sleep(Duration::from_millis(15));
        drop(lock.acquire(LONG).unwrap());
        lock.remove_files().unwrap();
        assert_eq!(files(name), Vec::<PathBuf>::new());
    });
}
