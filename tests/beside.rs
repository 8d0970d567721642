//! One name under several backends: a process that takes it for the first time sees who holds it under another.

mod support;

use lockattr::{Backend, Lock, LockError};
use support::{listen, say, unique_name, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold port", |name| hold(Backend::Port, name)),
        ("hold semaphore", |name| hold(Backend::Semaphore, name)),
        ("hold tcp", |name| hold(Backend::Tcp, name)),
    ]);
}

fn hold(backend: Backend, name: &str) {
    let guard = Lock::open(backend, name).unwrap().acquire(LONG).unwrap();
    say("holding");
    listen();
    drop(guard);
    say("released");
}

#[test]
fn a_name_that_is_held_under_another_backend_is_refused_at_once_and_nothing_is_made() {
    for (role, wanted) in [
        ("hold port", Backend::Semaphore),
        ("hold semaphore", Backend::Port),
        ("hold tcp", Backend::Port),
        ("hold tcp", Backend::Semaphore),
        ("hold port", Backend::Tcp),
        ("hold semaphore", Backend::Tcp),
    ] {
        let name = unique_name("beside");
        let mut holder = Actor::start(role, &name);
        holder.expect("holding");
        let lock = Lock::open(wanted, &name).unwrap();
        for _ in 0..2 {
            let error = lock.acquire(LONG).unwrap_err();
            let LockError::OtherBackend { holder: found, .. } = &error else { panic!("{error}") };
            assert_eq!(found.pid, Some(holder.pid()), "{error}");
            assert!(error.to_string().contains("would not exclude each other"), "{error}");
        }
        if wanted == Backend::Semaphore {
            assert!(!std::path::Path::new(&format!("/dev/shm/sem.{}", &*name)).exists());
        }
        holder.tell("release");
        holder.expect("released");
        // What is left of it excludes nobody.
        drop(lock.acquire(LONG).unwrap());
        support::remove_semaphore(&name);
    }
}

#[test]
fn a_semaphore_of_the_name_can_be_released_by_force_while_the_port_is_held() {
    let name = unique_name("beside-force");
    let mut holder = Actor::start("hold port", &name);
    holder.expect("holding");
    let empty = [0; std::mem::size_of::<nix::libc::sem_t>()];
    std::fs::write(format!("/dev/shm/sem.{}", &*name), empty).unwrap();
    std::fs::write(format!("/dev/shm/{}", &*name), [0; 4096]).unwrap();
    let semaphore = Lock::open(Backend::Semaphore, &name).unwrap();
    assert!(semaphore.is_locked().unwrap());
    assert!(semaphore.force_release().unwrap());
    assert!(!semaphore.is_locked().unwrap());
    support::remove_semaphore(&name);
}
