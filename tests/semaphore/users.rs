//! Files of other users.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use lockattr::LockError;
use nix::unistd::Uid;

use super::support::{open, unique_semaphore, Actor, LONG};
use super::{in_a_child, semaphore_of};

#[test]
fn another_users_lock_is_denied_and_the_error_says_whose_it_is() {
    if !Uid::effective().is_root() {
        println!(
            "not root: only root can become another user; tried with a file of no mode instead"
        );
        let name = unique_semaphore("denied");
        drop(open(&name).acquire(LONG).unwrap());
        fs::set_permissions(semaphore_of(&name), Permissions::from_mode(0o000)).unwrap();
        let code = in_a_child(|| u8::from(is_denied(&name, Uid::effective().as_raw(), "0000")));
        assert_eq!(code, 1);
        return;
    }
    // Not opened in this process: a child would have what its parent had opened.
    let name = unique_semaphore("denied");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let code = in_a_child(|| {
        nix::unistd::setgroups(&[]).unwrap();
        nix::unistd::setgid(nix::unistd::Gid::from_raw(65534)).unwrap();
        nix::unistd::setuid(Uid::from_raw(65534)).unwrap();
        u8::from(is_denied(&name, 0, "0600"))
    });
    assert_eq!(code, 1);
    holder.end();
}

/// Whether all that one can do with the lock is denied, with an error that says why.
fn is_denied(name: &str, uid: u32, mode: &str) -> bool {
    let lock = open(name);
    let errors = [
        lock.acquire(LONG).map(drop).unwrap_err(),
        lock.is_locked().map(drop).unwrap_err(),
        lock.holder().map(drop).unwrap_err(),
        lock.force_release().map(drop).unwrap_err(),
    ];
    errors.iter().all(|error| {
        let text = error.to_string();
        matches!(error, LockError::Denied { .. })
            && text.contains(&format!("sem.{name} belongs to user {uid} and has mode {mode}"))
            && text.contains("chmod 660")
    })
}
