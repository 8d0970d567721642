//! Files that are removed while the lock is in use.

use std::fs;
use std::thread;
use std::time::Duration;

use lockattr::{Lock, LockGuard};

use crate::posted::value;
use crate::support::{eventually, is_timeout, listen, open, remove_semaphore, say, waits};
use crate::support::{unique_semaphore, Actor, LONG};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Removed {
    Semaphore,
    Record,
}

fn remove(name: &str, file: Removed) {
    let path = match file {
        Removed::Semaphore => format!("/dev/shm/sem.{name}"),
        Removed::Record => format!("/dev/shm/{name}"),
    };
    // A record that was removed is made anew by the next one that looks for it.
    fs::remove_file(path).unwrap();
}

/// Tries to take the lock, and gives it back, as it is told.
pub(crate) fn obey(name: &str) {
    let lock = open(name);
    let mut guard: Option<LockGuard> = None;
    say("ready");
    while let Some(command) = listen() {
        if command == "release" {
            guard = None;
        } else if guard.is_none() {
            guard = lock.try_acquire().ok();
        }
        say(if guard.is_some() { "holds" } else { "holds not" });
    }
}

#[test]
fn who_finds_the_semaphore_made_anew_waits_for_the_holder_of_the_one_before() {
    let name = unique_semaphore("renewed");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    remove(&name, Removed::Semaphore);
    let lock = open(&name);
    let error = lock.try_acquire().unwrap_err();
    assert!(error.to_string().contains(&format!("by pid {}", holder.pid())), "{error}");
    assert!(is_timeout(&lock.acquire(Duration::from_millis(40))));
    assert_eq!(value(&name), 1, "it is put back");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(LONG).map(drop));
        holder.tell("release");
        holder.expect("released");
        waiter.join().unwrap().unwrap();
    });
    drop(lock.try_acquire().unwrap());
    assert_eq!(value(&name), 1);
    holder.end();
    remove_semaphore(&name);
}

#[test]
#[cfg(feature = "async")]
fn a_task_that_finds_the_semaphore_made_anew_waits_as_well() {
    use futures_lite::future;

    let name = unique_semaphore("renewed-task");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    remove(&name, Removed::Semaphore);
    let lock = open(&name);
    assert!(is_timeout(&future::block_on(lock.acquire_async(Duration::from_millis(40)))));
    let release = async {
        future::yield_now().await;
        holder.tell("release");
    };
    let (guard, ()) = future::block_on(future::zip(lock.acquire_async(LONG), release));
    drop(guard.unwrap());
    assert_eq!(value(&name), 1);
    holder.expect("released");
    holder.end();
    remove_semaphore(&name);
}

#[test]
fn a_holder_of_a_removed_semaphore_that_dies_is_recovered_from() {
    let name = unique_semaphore("renewed-dead");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let lock = open(&name);
    for is_looked_for in [true, false] {
        let pid = holder.pid();
        remove(&name, Removed::Semaphore);
        if is_looked_for {
            assert!(is_timeout(&lock.try_acquire()));
        }
        holder.kill();
        let guard = lock.acquire(LONG).unwrap();
        assert_eq!(guard.recovered_from().unwrap().pid, Some(pid));
        drop(guard);
        holder = Actor::start("hold", &name);
        holder.expect("holding");
    }
    holder.end();
    remove_semaphore(&name);
}

#[test]
fn whatever_is_removed_and_when_there_is_a_lock_that_works_in_the_end() {
    use Removed::{Record, Semaphore};

    let orders: [&[Removed]; 4] =
        [&[Semaphore], &[Record], &[Semaphore, Record], &[Record, Semaphore]];
    thread::scope(|scope| {
        for order in orders {
            for millis in [0, 30, 200] {
                for are_others_between in [false, true] {
                    scope.spawn(move || removed(order, millis, are_others_between));
                }
            }
        }
    });
}

fn removed(order: &[Removed], millis: u64, are_others_between: bool) {
    let case = format!("{order:?}, {millis} ms, others between: {are_others_between}");
    let name = unique_semaphore("removed");
    let lock: Lock = open(&name);
    drop(lock.acquire(LONG).unwrap());
    let mut other = Actor::start("obey", &name);
    other.expect("ready");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut waiter = Actor::start("wait", &name);
    waiter.expect("waiting");
    eventually("it waits", || waits(&name, waiter.pid()));

    for file in order {
        remove(&name, *file);
        thread::sleep(Duration::from_millis(millis));
        if are_others_between {
            other.tell("try");
            let has_it = other.hear() == "holds";
            let guard = lock.try_acquire();
            // Nothing connects the holder to those that come when both are gone.
            assert!(order.len() == 2 || !has_it && guard.is_err(), "two holders: {case}");
            assert!(!has_it || guard.is_err(), "two holders: {case}");
            drop(guard);
            other.tell("release");
            other.expect("holds not");
        }
    }
    holder.tell("release");
    holder.expect("released");
    waiter.expect("acquired");
    // The files may have been looked at just before they were removed.
    thread::sleep(Duration::from_millis(15));
    other.tell("try");
    other.expect("holds not");
    assert!(lock.try_acquire().is_err(), "two holders: {case}");
    waiter.end();
    drop(lock.acquire(Duration::from_secs(5)).unwrap_or_else(|error| panic!("{case}: {error}")));
    other.tell("try");
    other.expect("holds");
    assert!(lock.try_acquire().is_err(), "two holders: {case}");
    other.end();
    assert_eq!(value(&name), 1, "{case}");
    holder.end();
    remove_semaphore(&name);
}
