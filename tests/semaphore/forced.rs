//! Posts by other programs, forced releases, and locks that are left taken.

use std::time::Duration;

use lockattr::{Backend, Lock, LockError, Tenure};

use super::support::{is_timeout, open, say, unique_name, unique_semaphore, Actor, LONG};
use super::{post, record_of, semaphore_of, take_and_say_nothing, value};

#[test]
fn a_second_post_makes_no_second_holder() {
    let name = unique_semaphore("posted");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    for _ in 0..3 {
        post(&name);
    }
    assert_eq!(value(&name), 3);
    let lock = open(&name);
    assert!(lock.is_locked().unwrap());
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
    assert!(is_timeout(&lock.acquire(Duration::from_millis(100))));
    assert!(is_timeout(&lock.try_acquire()));
    assert_eq!(value(&name), 0, "what nobody may use is taken out");
    holder.tell("release");
    holder.expect("released");
    assert_eq!(value(&name), 1);

    // One that is free and was posted once too often is in order again with the next holder.
    post(&name);
    let guard = lock.acquire(LONG).unwrap();
    assert_eq!(value(&name), 0);
    drop(guard);
    assert_eq!(value(&name), 1);
    holder.end();
}

#[test]
fn who_took_the_semaphore_and_says_nothing_is_an_orphan_that_can_be_released_by_force() {
    let name = unique_semaphore("orphan");
    let lock = open(&name);
    drop(lock.with().timeout(LONG).info("the one before").acquire().unwrap());
    take_and_say_nothing(&name);

    for timeout in [Duration::ZERO, Duration::from_millis(40)] {
        let error = lock.acquire(timeout).unwrap_err();
        let LockError::Orphaned { last: Some(last), waited, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!((last.info.as_deref(), last.tenure), (Some("the one before"), Tenure::Released));
        assert!(*waited >= timeout);
        assert!(error.to_string().contains("lockattr unget --force"), "{error}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);
    }
    assert!(lock.is_locked().unwrap());
    assert!(lock.holder().unwrap().unwrap().pid.is_none());

    assert!(lock.force_release().unwrap());
    assert!(!lock.force_release().unwrap(), "it is free");
    assert_eq!(value(&name), 1);
    let guard = lock.acquire(LONG).unwrap();
    assert!(guard.recovered_from().is_none());
    drop(guard);
}

#[test]
fn a_forced_release_of_a_live_holder_lets_no_lockattr_process_in() {
    let name = unique_semaphore("forced");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let lock = open(&name);
    assert!(lock.force_release().unwrap());
    assert!(is_timeout(&lock.acquire(Duration::from_millis(50))));
    holder.tell("release");
    holder.expect("released");
    drop(lock.acquire(LONG).unwrap());
    assert_eq!(value(&name), 1);
    holder.end();
}

#[test]
fn a_forced_release_of_a_dead_holder_frees_the_lock_once() {
    let name = unique_semaphore("forced-dead");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let pid = holder.pid();
    holder.kill();
    let lock = open(&name);
    assert!(!lock.is_locked().unwrap(), "it can be had");
    assert!(lock.force_release().unwrap());
    assert!(!lock.force_release().unwrap());
    assert_eq!(value(&name), 1);
    let guard = lock.acquire(LONG).unwrap();
    assert_eq!(guard.recovered_from().unwrap().pid, Some(pid));
    drop(guard);
}

/// Takes the lock, and leaves it taken.
pub(crate) fn detach(name: &str) {
    open(name).with().timeout(LONG).info("left taken").acquire().unwrap().detach().unwrap();
    say("detached");
}

#[test]
fn a_lock_can_be_left_taken_and_is_nobodys_to_recover() {
    let name = unique_semaphore("detached");
    let mut actor = Actor::start("detach", &name);
    actor.expect("detached");
    let pid = actor.pid();
    actor.end();
    let lock = open(&name);
    assert!(lock.is_locked().unwrap());
    let error = lock.acquire(Duration::from_millis(100)).unwrap_err();
    let LockError::Timeout { holder: Some(holder), .. } = &error else { panic!("{error:?}") };
    assert_eq!((holder.pid, holder.tenure), (Some(pid), Tenure::Detached));
    assert_eq!(holder.info.as_deref(), Some("left taken"));
    assert_eq!(lock.holder().unwrap().unwrap().tenure, Tenure::Detached);
    assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Detached);

    assert!(lock.force_release().unwrap());
    assert!(!lock.is_locked().unwrap());
    assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Released);
    let outer = lock.with().timeout(LONG).reentrant().acquire().unwrap();
    assert!(outer.recovered_from().is_none(), "nobody died");
    // Of several guards the last one leaves it.
    let inner = lock.with().timeout(LONG).reentrant().acquire().unwrap();
    outer.detach().unwrap();
    assert_eq!(lock.holder().unwrap().unwrap().tenure, Tenure::Holds);
    drop(inner);
    assert_eq!(lock.holder().unwrap().unwrap().tenure, Tenure::Detached);
    post(&name);
    drop(lock.acquire(LONG).unwrap());

    let name = unique_name("detached-port");
    let port = Lock::open(Backend::Port, &name).unwrap();
    let error = port.acquire(LONG).unwrap().detach().unwrap_err();
    assert!(error.to_string().contains("a port lock is held by a process"), "{error}");
    assert!(!port.is_locked().unwrap());
}

#[test]
fn a_forced_release_makes_no_lock_and_no_port_lock_is_released_by_force() {
    let name = unique_semaphore("nothing");
    assert!(!open(&name).force_release().unwrap());
    assert!(!semaphore_of(&name).exists() && !record_of(&name).exists());

    let name = unique_name("forced-port");
    let port = Lock::open(Backend::Port, &name).unwrap();
    assert!(!port.force_release().unwrap());
    let _guard = port.acquire(LONG).unwrap();
    let error = port.force_release().unwrap_err();
    assert!(error.to_string().contains("only its holder can let go"), "{error}");
}
