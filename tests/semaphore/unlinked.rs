//! Files that lose their names while the lock is in use.

use std::fs;
use std::thread;
use std::time::Duration;

use super::support::{self, open, remove_semaphore, unique_semaphore, Actor, LONG};
use super::{record_of, semaphore_of, value};

#[test]
fn an_unlinked_lock_is_made_anew() {
    let name = unique_semaphore("unlinked");
    let lock = open(&name);
    drop(lock.acquire(LONG).unwrap());
    for forgotten in [
        vec![semaphore_of(&name)],
        vec![record_of(&name)],
        vec![semaphore_of(&name), record_of(&name)],
    ] {
        for path in &forgotten {
            fs::remove_file(path).unwrap();
        }
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
