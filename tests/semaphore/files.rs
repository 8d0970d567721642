//! The files of a lock: who makes them, and what is left of them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use lockattr::{Backend, Lock, LockError};

use super::support::{listen, open, say, unique_semaphore, Actor, LONG};
use super::{in_a_child, mode_of, record_of, semaphore_of, value};

#[test]
fn its_files_are_the_users_own_unless_a_mode_says_otherwise_whatever_the_umask() {
    let private = unique_semaphore("private");
    drop(open(&private).acquire(LONG).unwrap());
    assert_eq!([mode_of(semaphore_of(&private)), mode_of(record_of(&private))], [0o600; 2]);

    let shared = unique_semaphore("shared");
    let code = in_a_child(|| {
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
        u8::from(open(&shared).mode(0o660).acquire(LONG).is_err())
    });
    assert_eq!(code, 0);
    assert_eq!([mode_of(semaphore_of(&shared)), mode_of(record_of(&shared))], [0o660; 2]);
    // What is there keeps its mode.
    drop(open(&shared).mode(0o666).acquire(LONG).unwrap());
    assert_eq!([mode_of(semaphore_of(&shared)), mode_of(record_of(&shared))], [0o660; 2]);
}

#[test]
fn a_leading_slash_is_no_part_of_the_name() {
    let name = unique_semaphore("slash");
    let slashed = Lock::open(Backend::Semaphore, &format!("/{name}")).unwrap();
    assert_eq!(slashed.name(), &*name);
    let _guard = slashed.acquire(LONG).unwrap();
    assert!(matches!(open(&name).try_acquire(), Err(LockError::WouldDeadlock { .. })));
}

/// Takes the lock as soon as it is told to, and says which files it has.
pub(crate) fn begin(name: &str) {
    say("ready");
    listen();
    let guard = open(name).acquire(LONG).unwrap();
    let inode = |path| fs::metadata(path).unwrap().ino();
    say(&format!("{} {}", inode(semaphore_of(name)), inode(record_of(name))));
    drop(guard);
}

#[test]
fn processes_that_start_at_the_same_moment_make_one_lock() {
    for _ in 0..5 {
        let name = unique_semaphore("race");
        let mut actors: Vec<Actor> = (0..6).map(|_| Actor::start("begin", &name)).collect();
        for actor in &mut actors {
            actor.expect("ready");
        }
        for actor in &mut actors {
            actor.tell("go");
        }
        let files: Vec<String> = actors.iter_mut().map(Actor::hear).collect();
        assert!(files.iter().all(|file| *file == files[0]), "{files:?}");
        actors.into_iter().for_each(Actor::end);
        assert_eq!(value(&name), 1);
    }
}

#[test]
fn a_lock_that_is_let_go_of_leaves_no_mapping_and_no_descriptor() {
    let prefix = unique_semaphore("many");
    let mut actor = Actor::start("use many", &prefix);
    actor.expect("true");
    actor.end();
}

/// Uses many locks, and says how many descriptors and mappings are left.
pub(crate) fn use_many(prefix: &str) {
    let count = || {
        let mappings = fs::read_to_string("/proc/self/maps").unwrap();
        let mapped = mappings.lines().filter(|line| line.contains("/dev/shm/")).count();
        (fs::read_dir("/proc/self/fd").unwrap().count(), mapped)
    };
    let before = count();
    for number in 0..500 {
        let lock = Lock::open(Backend::Semaphore, &format!("{prefix}-{number}")).unwrap();
        drop(lock.acquire(LONG).unwrap());
        let (_, mapped) = count();
        assert_eq!(mapped, before.1 + 2);
    }
    say(&format!("{}", count() == before));
}
