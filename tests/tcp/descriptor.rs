//! A lock that is left to a descriptor, which stands for both of its sockets.

use std::process::{Command, Stdio};
use std::time::Duration;

use lockattr::Tenure;
use nix::fcntl::{fcntl, FcntlArg, FdFlag};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::support::{connections_to_locks, eventually, listen, open, say, unique_tcp};
use super::support::{Actor, LONG};

/// A role: ends, and leaves the lock to a child that runs on.
pub(crate) fn leave_it_to_a_child(name: &str) {
    let guard = open(name).with().timeout(LONG).info("left").acquire().unwrap();
    let descriptor = guard.into_descriptor().unwrap();
    fcntl(&descriptor, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let mut child = Command::new("sleep");
    let child = child.arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    say(&child.spawn().unwrap().id().to_string());
    listen();
}

#[test]
fn a_lock_that_is_left_to_a_descriptor_is_held_until_the_last_copy_goes_which_is_no_death() {
    for is_killed in [false, true] {
        let name = unique_tcp("left");
        let mut actor = Actor::start("leave it to a child", &name);
        let child: i32 = actor.hear().parse().unwrap();
        let lock = open(&name);
        let seen = lock.holder().unwrap().unwrap();
        assert_eq!((seen.tenure, seen.pid), (Tenure::Kept, Some(actor.pid())));
        if is_killed {
            actor.kill();
        } else {
            actor.end();
        }
        let seen = lock.holder().unwrap().unwrap();
        // Who has the descriptor by now, nobody tells.
        assert_eq!((seen.tenure, seen.pid), (Tenure::Kept, None));
        assert_eq!(seen.info.as_deref(), Some("left"));
        assert!(lock.try_acquire().unwrap_err().is_timeout());
        assert!(lock.acquire(Duration::from_millis(50)).unwrap_err().is_timeout());

        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| lock.acquire(LONG).unwrap());
            eventually("it waits", || connections_to_locks(std::process::id()) > 0);
            kill(Pid::from_raw(child), Signal::SIGKILL).unwrap();
            let guard = waiter.join().unwrap();
            assert!(guard.recovered_from().is_none(), "{:?}", guard.recovered_from());
        });
        assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Released);
    }
}
