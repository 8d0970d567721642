//! Files of other users.

use std::fs::{self, Permissions};
use std::os::unix::fs::{chown, PermissionsExt};

use lockattr::LockError;
use nix::unistd::Uid;

use super::support::{become_user, open, unique_semaphore, Actor, Name, LONG};
use super::{in_a_child, record_of, semaphore_of};

/// A user without rights of its own, and another one.
const NOBODY: u32 = 65534;
const SOMEONE: u32 = 65533;

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
        become_user(NOBODY);
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

/// A free lock whose files belong to these users and groups, and have this mode.
fn lock_of(semaphore: (u32, u32), record: (u32, u32), mode: u32) -> Name {
    let name = unique_semaphore("owned");
    drop(open(&name).acquire(LONG).unwrap());
    for (file, (user, group)) in [(semaphore_of(&name), semaphore), (record_of(&name), record)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        chown(&file, Some(user), Some(group)).unwrap();
    }
    name
}

/// A process of `user` whose own mode is `mode` takes the lock in all the ways there are; or it is
/// refused in all of them, with an error that names the file and the owner of `refused`.
#[track_caller]
fn assert_taken_or_refused(name: &str, user: u32, mode: u32, refused: Option<(&str, u32)>) {
    let code = in_a_child(|| {
        if user != 0 {
            become_user(user);
        }
        let lock = open(name).mode(mode);
        // Who only looks cannot be harmed.
        assert!(!lock.is_locked().unwrap());
        assert!(lock.holder().unwrap().is_none());
        for result in [
            lock.acquire(LONG).map(drop),
            lock.try_acquire().map(drop),
            lock.with().timeout(LONG).reentrant().acquire().map(drop),
            lock.force_release().map(drop),
        ] {
            let Some((file, owner)) = refused else {
                result.unwrap();
                continue;
            };
            let error = result.unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, LockError::Untrusted { .. }), "{error:?}");
            assert!(text.contains(&format!("/dev/shm/{file}")), "{text}");
            assert!(text.contains(&format!("belongs to user {owner}")), "{text}");
            assert!(text.contains("run as that user"), "{text}");
        }
        0
    });
    assert_eq!(code, 0, "used by {user} with {mode:o}, refused: {refused:?}");
}

#[test]
fn files_of_another_user_are_used_only_where_both_sides_let_each_other_in() {
    if !Uid::effective().is_root() {
        println!("skipped: only root can give files to another user");
        return;
    }
    let (root, nobody, shared) = ((0, 0), (NOBODY, NOBODY), (NOBODY, 0));
    for (semaphore, record, files, user, mode, is_used) in [
        // Root's own, and a user's own.
        (root, root, 0o600, 0, 0o600, true),
        (nobody, nobody, 0o600, NOBODY, 0o600, true),
        (nobody, nobody, 0o666, NOBODY, 0o600, true),
        // Root can do anything anyway: its files harm nobody.
        (root, root, 0o666, NOBODY, 0o600, true),
        (root, nobody, 0o666, NOBODY, 0o600, true),
        // The permissions let root in, and the owner can cut them under root's feet.
        (nobody, nobody, 0o600, 0, 0o600, false),
        (nobody, root, 0o600, 0, 0o600, false),
        (root, nobody, 0o600, 0, 0o600, false),
        (nobody, nobody, 0o600, 0, 0o666, false),
        (nobody, nobody, 0o666, 0, 0o600, false),
        (nobody, nobody, 0o666, SOMEONE, 0o600, false),
        (nobody, nobody, 0o666, SOMEONE, 0o660, false),
        // All are let in, on both sides.
        (nobody, nobody, 0o666, 0, 0o666, true),
        (nobody, nobody, 0o666, SOMEONE, 0o666, true),
        (nobody, root, 0o666, SOMEONE, 0o666, true),
        // A group is, which the process is in, or is not.
        (shared, shared, 0o660, 0, 0o660, true),
        (shared, shared, 0o660, 0, 0o600, false),
        (nobody, nobody, 0o660, 0, 0o660, false),
        (shared, shared, 0o600, 0, 0o660, false),
        ((NOBODY, SOMEONE), (NOBODY, SOMEONE), 0o660, SOMEONE, 0o660, true),
        ((NOBODY, SOMEONE), (NOBODY, SOMEONE), 0o660, SOMEONE, 0o606, false),
    ] {
        let name = lock_of(semaphore, record, files);
        let semaphore_file = format!("sem.{name}");
        let refused = if semaphore.0 == 0 || semaphore.0 == user {
            (&*name, record.0)
        } else {
            (&*semaphore_file, semaphore.0)
        };
        println!("{semaphore:?} {record:?} {files:o}");
        assert_taken_or_refused(&name, user, mode, (!is_used).then_some(refused));
    }
}
