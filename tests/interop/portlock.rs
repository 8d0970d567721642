//! `k3portlock` on the locks of the port backend.

use std::time::Duration;

use lockattr::{KnownBy, LockError};

use super::python::Script;
use super::support::{eventually, open, say, unique_name, Actor, LONG};

/// A Python process that uses `k3portlock`.
fn start() -> Option<Script> {
    Script::start::<&str>("portlock.py", &[])
}

#[test]
fn what_python_holds_is_refused_and_python_named() {
    let Some(mut portlock) = start() else {
        return;
    };
    let name = unique_name("python-holds");
    let lock = open(&name);
    assert_eq!(portlock.ask(&format!("acquire {name} 1")), "acquired");
    assert!(lock.is_locked().unwrap());

    for timeout in [Duration::from_millis(50), Duration::ZERO] {
        // On a busy machine a search of 5 ms may be over before it has found anybody.
        eventually("the search is in time", || {
            let error = lock.acquire(timeout).unwrap_err();
            let LockError::Timeout { holder, .. } = &error else { panic!("{error:?}") };
            let Some(pid) = holder.as_ref().and_then(|holder| holder.pid) else { return false };
            assert_eq!(pid, portlock.pid());
            assert!(error.to_string().contains("(python"), "{error}");
            true
        });
    }
    let holder = lock.holder().unwrap().unwrap();
    assert_eq!((holder.pid, holder.known_by), (Some(portlock.pid()), KnownBy::Proc));

    assert_eq!(portlock.ask(&format!("release {name}")), "released");
    drop(lock.try_acquire().unwrap());
    assert!(!lock.is_locked().unwrap());
}

#[test]
fn what_rust_holds_python_waits_for() {
    let Some(mut portlock) = start() else {
        return;
    };
    let name = unique_name("rust-holds");
    let guard = open(&name).acquire(LONG).unwrap();
    assert_eq!(portlock.ask(&format!("acquire {name} 0.05")), "timeout");
    portlock.tell(&format!("acquire {name} 60"));
    drop(guard);
    assert_eq!(portlock.answer(), "acquired");
    assert!(open(&name).try_acquire().is_err());
}

/// That the lock `name`, which a Python process holds, comes to a waiter when that one releases it or dies.
pub(super) fn comes_when_python_releases_or_dies(start: fn() -> Option<Script>, name: &str) {
    for dies in [false, true] {
        let Some(mut portlock) = start() else {
            return;
        };
        assert_eq!(portlock.ask(&format!("acquire {name} 60")), "acquired");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| open(name).acquire(LONG).map(drop));
            if dies {
                portlock.kill();
            } else {
                assert_eq!(portlock.ask(&format!("release {name}")), "released");
            }
            waiter.join().unwrap().unwrap();
        });
    }
}

#[test]
fn a_waiter_has_the_lock_when_python_releases_or_dies() {
    comes_when_python_releases_or_dies(start, &unique_name("python-ends"));
}

const ROUNDS: u32 = 400;

pub(crate) fn contend(argument: &str) {
    let (name, path) = argument.split_once(' ').unwrap();
    let lock = open(name);
    for _ in 0..ROUNDS {
        let guard = lock.acquire(LONG).unwrap();
        let count: u32 = std::fs::read_to_string(path).unwrap().parse().unwrap();
        std::fs::write(path, (count + 1).to_string()).unwrap();
        drop(guard);
        // The hand-off never frees the name while somebody queues, so one that polls would come
        // last: let it have its turns.
        std::thread::sleep(Duration::from_micros(300));
    }
    say("done");
}

#[test]
fn two_and_two_never_meet() {
    let (Some(one), Some(other)) = (start(), start()) else {
        return;
    };
    let name = unique_name("mixed");
    let path = std::env::temp_dir().join(&name);
    std::fs::write(&path, "0").unwrap();
    let argument = format!("{name} {}", path.display());
    let mut portlocks = [one, other];
    for portlock in &mut portlocks {
        portlock.tell(&format!("contend {argument} {ROUNDS}"));
    }
    let actors = [(); 2].map(|()| Actor::start("contend", &argument));
    for mut actor in actors {
        actor.expect("done");
        actor.end();
    }
    for portlock in &mut portlocks {
        assert_eq!(portlock.answer(), "done");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), (4 * ROUNDS).to_string());
    std::fs::remove_file(path).unwrap();
}
