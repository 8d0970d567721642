//! Semaphores that were posted by programs that did not hold them.

use std::ffi::CString;

use lockattr::{LockError, Tenure};
use nix::libc;

use crate::support::{open, remove_semaphore, unique_semaphore, Actor, LONG};

/// The semaphore, by the C library, after so many posts.
fn post(name: &str, times: u32) -> i32 {
    let path = CString::new(format!("/{name}")).unwrap();
    // SAFETY: the name ends with a NUL; the semaphore is closed again, and not used after that.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_ne!(semaphore, libc::SEM_FAILED);
        for _ in 0..times {
            assert_eq!(libc::sem_post(semaphore), 0);
        }
        let mut value = -1;
        assert_eq!(libc::sem_getvalue(semaphore, &mut value), 0);
        libc::sem_close(semaphore);
        value
    }
}

pub(crate) fn value(name: &str) -> i32 {
    post(name, 0)
}

#[test]
fn a_semaphore_of_too_many_units_is_refused_by_name_and_left_as_it_is() {
    let name = unique_semaphore("overposted");
    let lock = open(&name);
    drop(lock.with().timeout(LONG).info("before").acquire().unwrap());
    assert_eq!(post(&name, 17), 18);
    for _ in 0..2 {
        let error = lock.acquire(LONG).unwrap_err();
        assert!(matches!(error, LockError::Overposted { units: 18, .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&format!("/dev/shm/sem.{name} has 18 units")), "{text}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::InvalidData);
        assert_eq!(value(&name), 18);
        assert!(!lock.is_locked().unwrap());
        assert_eq!(lock.last_holder().unwrap().unwrap().info.as_deref(), Some("before"));
    }
    remove_semaphore(&name);
}

#[test]
fn a_lock_is_left_taken_whatever_was_posted_before() {
    let name = unique_semaphore("posted-detach");
    let lock = open(&name);
    drop(lock.acquire(LONG).unwrap());
    for posts in [0, 1, 16] {
        assert_eq!(post(&name, posts), 1 + i32::try_from(posts).unwrap());
        lock.acquire(LONG).unwrap().detach().unwrap();
        assert_eq!(value(&name), 0);
        assert_eq!(lock.holder().unwrap().unwrap().tenure, Tenure::Detached);
        assert!(lock.force_release().unwrap());
    }
    remove_semaphore(&name);
}

#[test]
fn who_takes_a_lock_that_was_released_by_force_is_told_what_its_holder_was_doing() {
    let name = unique_semaphore("forced-info");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let pid = holder.pid();
    holder.kill();
    let lock = open(&name);
    assert!(lock.force_release().unwrap());
    let guard = lock.acquire(LONG).unwrap();
    let dead = guard.recovered_from().unwrap();
    assert_eq!((dead.pid, dead.tenure), (Some(pid), Tenure::Died));
    assert_eq!(dead.info.as_deref(), Some("the test's holder"));
    drop(guard);
    remove_semaphore(&name);
}
