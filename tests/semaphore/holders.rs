//! Holders that are stopped, and that become another program.

use std::time::{Duration, Instant};

use lockattr::KnownBy;
use nix::sys::signal::Signal;

use super::support::{is_timeout, on_each_backend, open, say, unique_semaphore, Actor, LONG};

/// Holds the lock, becomes the same program anew, and takes it again.
pub(crate) fn become_another(argument: &str) {
    use std::os::unix::process::CommandExt;
    let (name, is_again) = argument.split_once(' ').unwrap();
    let guard = open(name).acquire(LONG).unwrap();
    if is_again == "again" {
        let dead = guard.recovered_from().expect("the program before left it");
        assert_eq!((dead.pid, dead.known_by), (Some(std::process::id()), KnownBy::Record));
        return say("again");
    }
    let this = std::env::current_exe().unwrap();
    let error = std::process::Command::new(this)
        .args(["--exact", "role", "--nocapture", "--test-threads=1"])
        .env("LOCKATTR_TEST_ROLE", "become another")
        .env("LOCKATTR_TEST_ARGUMENT", format!("{name} again"))
        .exec();
    panic!("{error}");
}

#[test]
fn a_program_that_executes_itself_anew_takes_back_what_it_left() {
    on_each_backend("again", |name| {
        let mut actor = Actor::start("become another", &format!("{name} first"));
        actor.expect("again");
        actor.end();
    });
}

#[test]
fn a_timeout_is_kept_while_the_holder_lives_and_while_it_is_stopped() {
    let name = unique_semaphore("stopped");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    holder.stop();
    let lock = open(&name);
    for millis in [0, 3, 40, 120] {
        let timeout = Duration::from_millis(millis);
        let start = Instant::now();
        assert!(is_timeout(&lock.acquire(timeout)), "who is stopped is not dead");
        assert!(start.elapsed() >= timeout);
        assert!(start.elapsed() < timeout + Duration::from_secs(2));
    }
    holder.signal(Signal::SIGCONT);
    holder.end();
}
