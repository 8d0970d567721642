//! Files that lose their names while the lock is in use.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use super::support::{self, open, remove_semaphore, unique_semaphore, Actor, End, LONG};
use super::{record_of, semaphore_of, value};

/// Which files can lose their names.
fn losses(name: &str) -> [Vec<PathBuf>; 3] {
    let (semaphore, record) = (semaphore_of(name), record_of(name));
    [vec![semaphore.clone()], vec![record.clone()], vec![semaphore, record]]
}

fn forget(files: &[PathBuf]) {
    for path in files {
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn an_unlinked_lock_is_made_anew() {
    let name = unique_semaphore("unlinked");
    let lock = open(&name);
    drop(lock.acquire(LONG).unwrap());
    for forgotten in losses(&name) {
        forget(&forgotten);
        thread::sleep(Duration::from_millis(15)); // it looks now and then
        let guard = lock.acquire(LONG).unwrap();
        assert_eq!(value(&name), 0, "others find it held");
        let mut other = Actor::start("begin", &name);
        other.expect("ready");
        other.tell("go");
        drop(guard);
        other.hear();
        other.end();
    }
}

#[test]
fn a_waiter_finds_the_lock_that_was_made_anew() {
    let name = unique_semaphore("unlinked-wait");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| open(&name).acquire(LONG).map(drop));
        support::eventually("it waits", || support::waits(&name, std::process::id()));
        remove_semaphore(&name);
        waiter.join().unwrap().unwrap();
    });
    holder.end();
}

/// Longer than a look at the files is kept.
const UNNOTICED: Duration = Duration::from_millis(12);

#[test]
fn a_lock_that_another_process_has_made_anew_excludes_those_that_had_it_open() {
    let name = unique_semaphore("anew");
    let lock = open(&name);
    drop(lock.acquire(LONG).unwrap());
    for forgotten in losses(&name) {
        forget(&forgotten);
        let mut holder = Actor::start("hold", &name);
        holder.expect("holding");
        thread::sleep(UNNOTICED);
        for timeout in [Duration::ZERO, Duration::from_millis(60)] {
            let refused = lock.acquire(timeout);
            assert!(support::is_timeout(&refused), "{refused:?} without {forgotten:?}");
        }
        assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
        holder.tell("release");
        holder.expect("released");
        drop(lock.acquire(LONG).unwrap());
        holder.end();
    }
}

/// How many mappings of the lock's files this process has.
fn mappings(name: &str) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let is_of_it = |line: &&str| {
        line.contains(&format!("/dev/shm/{name} "))
            || line.contains(&format!("/dev/shm/sem.{name} "))
    };
    maps.lines().filter(is_of_it).count()
}

/// A lock keeps so many pairs of files that it has opened, for those that hold by them.
const KEPT: usize = 16;

#[test]
fn a_semaphore_that_is_removed_again_and_again_while_threads_acquire_excludes_them_all() {
    const ROUNDS: u32 = 150;

    let name = unique_semaphore("unlinked-often");
    let (is_held, ends) = (AtomicBool::new(false), AtomicBool::new(false));
    let holds = AtomicU32::new(0);
    let lock = open(&name);
    drop(lock.acquire(LONG).unwrap());
    thread::scope(|scope| {
        let end = End(&ends);
        for _ in 0..3 {
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    let guard = lock.acquire(LONG).unwrap();
                    assert!(!is_held.swap(true, Ordering::AcqRel), "two holders");
                    thread::yield_now();
                    is_held.store(false, Ordering::Release);
                    drop(guard);
                    holds.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..ROUNDS {
            let _ = fs::remove_file(semaphore_of(&name));
            thread::sleep(UNNOTICED);
        }
        drop(end);
    });
    assert!(holds.load(Ordering::Relaxed) > ROUNDS);
    thread::sleep(UNNOTICED);
    drop(lock.acquire(LONG).unwrap());
    assert_eq!(value(&name), 1);
    let mapped = mappings(&name);
    assert!(mapped <= 2 * (KEPT + 1), "{mapped} mappings");
    drop(lock);
    assert_eq!(mappings(&name), 0);
}

#[test]
fn a_guard_outlives_many_locks_of_its_name() {
    let name = unique_semaphore("unlinked-guard");
    let lock = open(&name);
    drop(lock.acquire(LONG).unwrap()); // opened
    let mut old = vec![lock.acquire(LONG).unwrap()];
    for round in 0..KEPT + 4 {
        remove_semaphore(&name);
        thread::sleep(UNNOTICED);
        // Another thread than the holder's: that would be told that it waits for itself.
        let next = thread::scope(|scope| scope.spawn(|| lock.acquire(LONG)).join().unwrap());
        assert_eq!(value(&name), 0, "round {round}");
        old.push(next.unwrap());
    }
    let is_newest_held = || value(&name) == 0;
    let newest = old.pop();
    old.into_iter().for_each(drop);
    assert!(is_newest_held());
    drop(newest);
    assert!(!is_newest_held());
    drop(lock.acquire(LONG).unwrap());
}
