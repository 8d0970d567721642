//! What is promised on every system, with real processes. Nothing here is used but std, so these tests run on Windows
//! (`ci/windows`) as they run on Linux.

#[path = "../support/actor.rs"]
mod actor;
mod attribute;
mod excluded;
mod killed;
#[path = "../support/name.rs"]
#[allow(unreachable_pub)] // of the helpers of other tests
mod name;
mod ports;
#[cfg(feature = "async")]
mod tasks;
mod waits;

use lockattr::{Backend, Lock, LockError};

use actor::{listen, say, Actor, LONG};
use name::{unique_name, unique_semaphore, unique_tcp};

#[test]
fn role() {
    actor::play(&[
        ("hold", hold),
        ("wait", wait),
        ("count", excluded::count),
        ("hold and leave a child", killed::hold_and_leave_a_child),
        ("live", killed::live),
        ("call", attribute::call),
        #[cfg(feature = "async")]
        ("await", tasks::wait),
    ]);
}

/// Runs a test on a lock of each backend that this system has. The text tells a role which lock is meant.
fn on_each_backend(what: &str, test: impl Fn(&str, &Lock)) {
    let test = |backend: &str, name: &str| {
        let which = format!("{backend} {name}");
        test(&which, &open(&which));
    };
    test("port", &unique_name(what));
    test("tcp", &unique_tcp(what));
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        test("semaphore", &unique_semaphore(what));
    }
}

fn open(which: &str) -> Lock {
    let (backend, name) = which.split_once(' ').unwrap();
    let backend = match backend {
        "port" => Backend::Port,
        "semaphore" => Backend::Semaphore,
        _ => Backend::Tcp,
    };
    Lock::open(backend, name).unwrap()
}

/// A role: holds the lock until it is told something, or until its input ends.
fn hold(which: &str) {
    let guard = open(which).acquire(LONG).unwrap();
    say("holding");
    if listen().is_some() {
        drop(guard);
        say("released");
        listen();
    }
}

/// A role: waits for the lock, and holds it until its input ends.
fn wait(which: &str) {
    let lock = open(which);
    say("waiting");
    let guard = lock.acquire(LONG).unwrap();
    say("acquired");
    listen();
    drop(guard);
}

fn holder(which: &str) -> Actor {
    let mut holder = Actor::start("hold", which);
    holder.expect("holding");
    holder
}

/// Whether somebody else held the lock all the time.
fn is_timeout<T>(result: &Result<T, LockError>) -> bool {
    matches!(result, Err(LockError::Timeout { .. }))
}
