//! Which lock a path leads to.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use lockattr::{all, Backend, Lock, LockError};

use crate::support::{self, Actor};
use crate::terminal::{folder, Port};

#[test]
fn a_link_and_the_node_are_one_lock_across_processes() {
    let Some(port) = Port::new("link") else { return };
    for (held, tried) in [(port.link(), port.node.clone()), (port.node.clone(), port.link())] {
        let mut holder = Actor::start("hold", held.to_str().unwrap());
        holder.expect("holding");
        let mut other = Actor::start("try", tried.to_str().unwrap());
        let refusal = other.hear();
        assert!(refusal.contains(&format!("pid {}", holder.pid())), "{refusal}");
        assert!(refusal.contains(tried.to_str().unwrap()), "it names the path: {refusal}");
        other.end();
        holder.end();
    }
}

#[test]
fn a_kept_lock_is_that_of_the_device_that_is_there_now() {
    let (Some(one), Some(other)) = (Port::new("now-one"), Port::new("now-other")) else { return };
    let folder = folder("now");
    let path = folder.join("device");
    symlink(&one.node, &path).unwrap();
    let lock = Lock::device(&path).unwrap();
    assert_eq!(lock.acquire(support::LONG).unwrap().lock_name(), one.lock().name());
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(lock.try_acquire(), Err(LockError::NoDevice { .. })));
    assert!(matches!(lock.is_locked(), Err(LockError::NoDevice { .. })));
    symlink(&other.node, &path).unwrap();
    let guard = lock.acquire(support::LONG).unwrap();
    assert_eq!(guard.lock_name(), other.lock().name());
    assert!(lock.is_held_by_thread() && !one.lock().is_locked().unwrap());
    drop(guard);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn devices_are_locks_like_others() {
    let (Some(one), Some(other)) = (Port::new("like-one"), Port::new("like-other")) else { return };
    let (one, other) = (one.lock(), other.lock());
    let guards = all([&other, &one]).acquire().unwrap();
    assert!(one.is_locked().unwrap() && other.is_held_by_thread());
    assert!(matches!(one.try_acquire(), Err(LockError::WouldDeadlock { .. })));
    drop(one.with().reentrant().acquire().unwrap());
    drop(guards);
    assert!(!one.is_locked().unwrap());
    let twice = all([&one, &one]).acquire().unwrap_err();
    assert!(matches!(twice, LockError::WouldDeadlock { twice: true, .. }));
}

#[test]
fn a_semaphore_may_stand_for_a_device() {
    let Some(port) = Port::new("semaphore") else { return };
    // Another process: this one may have used a port lock for an earlier device of the same numbers.
    let mut actor = Actor::start("semaphore", port.link().to_str().unwrap());
    actor.expect("done");
    actor.end();
}

/// A role: uses a semaphore for a device.
pub(crate) fn use_a_semaphore(path: &str) {
    let open = |path| Lock::open_device(Backend::Semaphore, path).unwrap();
    let (link, lock) = (open(Path::new(path)), open(&fs::canonicalize(path).unwrap()));
    let guard = lock.acquire(support::LONG).unwrap();
    assert!(link.is_locked().unwrap());
    let mismatch = Lock::device(path).unwrap_err();
    assert!(matches!(mismatch, LockError::BackendMismatch { .. }), "{mismatch}");
    drop(guard);
    lock.remove_files().unwrap();
    support::say("done");
}

#[test]
fn a_timeout_of_a_device_tells_the_path_and_ends_on_time() {
    let Some(port) = Port::new("tells") else { return };
    let mut holder = Actor::start("hold", port.node_as_text());
    holder.expect("holding");
    let error = port.lock().acquire(Duration::from_millis(20)).unwrap_err();
    let LockError::Timeout { device, holder: Some(by), .. } = &error else { panic!("{error}") };
    assert_eq!(device.as_deref(), Some(&*port.node));
    assert_eq!(by.pid, Some(holder.pid()));
    holder.end();
}
