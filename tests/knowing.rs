//! What a program can know of its own holds, and of an acquire that failed.

mod support;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{HeldHere, LockError, LockGuard};
use support::{hold, on_each_backend, open, unique_name, Actor, LONG};

const SHORT: Duration = Duration::from_millis(40);

#[test]
fn role() {
    support::play(&[("hold", hold)]);
}

#[test]
fn a_guard_knows_how_long_it_waited_and_how_long_it_has_held() {
    on_each_backend("guard", |name| {
        let lock = open(name);
        let before = Instant::now();
        let guard = lock.acquire(LONG).unwrap();
        assert!(guard.waited() < Duration::from_secs(1), "{:?}", guard.waited());
        thread::scope(|scope| {
            let waiter = scope.spawn(|| open(name).acquire(LONG).map(|guard| guard.waited()));
            thread::sleep(2 * SHORT);
            assert!(guard.held_for() >= 2 * SHORT);
            let acquired_at = guard.acquired_at();
            assert!(
                acquired_at + Duration::from_millis(1) >= before && acquired_at < Instant::now()
            );
            drop(guard);
            let long = waiter.join().unwrap().unwrap();
            assert!(long >= SHORT && long < LONG, "{long:?}");
        });
        let outer = lock.with().reentrant().acquire().unwrap();
        thread::sleep(SHORT);
        let inner = lock.with().reentrant().acquire().unwrap();
        assert!(outer.held_for() >= SHORT + inner.held_for());
        assert_eq!(inner.waited(), Duration::ZERO);
    });
}

#[test]
fn a_hold_is_its_threads_and_its_processs() {
    on_each_backend("held", |name| {
        let lock = open(name);
        let held = || (lock.is_held_by_thread(), lock.is_held_by_process());
        assert_eq!(held(), (false, false));
        let guard = lock.acquire(LONG).unwrap();
        assert_eq!(held(), (true, true));
        thread::scope(|scope| assert_eq!(scope.spawn(held).join().unwrap(), (false, true)));
        drop(guard);
        assert_eq!(held(), (false, false));
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        assert_eq!(held(), (false, false), "another process holds");
        holder.end();
    });
}

#[test]
fn a_timeout_says_that_this_very_process_holds_and_which_thread_of_it() {
    on_each_backend("own", |lock_name| {
        let lock = open(lock_name);
        let holder = thread::Builder::new().name("the holder".to_owned());
        thread::scope(|scope| {
            let (told, is_told) = std::sync::mpsc::channel();
            let (end, ends) = std::sync::mpsc::channel::<()>();
            let hold = move || {
                let guard = open(lock_name).acquire(LONG).unwrap();
                told.send(()).unwrap();
                let _ = ends.recv();
                drop(guard);
            };
            let holder = holder.spawn_scoped(scope, hold).unwrap();
            is_told.recv().unwrap();
            let error = lock.acquire(SHORT).unwrap_err();
            let LockError::Timeout { here: Some(HeldHere::Thread { name, .. }), .. } = &error
            else {
                panic!("{error:#?}")
            };
            assert_eq!(name.as_deref(), Some("the holder"));
            let told = error.to_string();
            assert!(told.contains("by this very process (thread \"the holder\", "), "{told}");
            assert_eq!((error.lock_name(), error.is_timeout()), (lock.name(), true));
            assert!(error.waited() >= SHORT && error.holder().unwrap().thread.is_some());
            drop(end);
            holder.join().unwrap();
        });
    });
}

#[cfg(feature = "async")]
#[test]
fn a_thread_that_waits_for_a_task_of_its_process_is_told() {
    on_each_backend("task", |name| {
        let lock = open(name);
        let guard = futures_lite::future::block_on(lock.acquire_async(LONG)).unwrap();
        assert!(!lock.is_held_by_thread() && lock.is_held_by_process());
        let error = lock.acquire(SHORT).unwrap_err();
        assert!(
            matches!(error, LockError::Timeout { here: Some(HeldHere::Task), .. }),
            "{error:#?}"
        );
        assert!(error.to_string().contains("by a task of this very process"), "{error}");
        drop(guard);
        assert!(!lock.is_held_by_process());
    });
}

#[test]
fn another_process_that_holds_is_not_this_one() {
    on_each_backend("other", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let error = open(name).try_acquire().unwrap_err();
        assert!(matches!(error, LockError::Timeout { here: None, .. }), "{error:#?}");
        assert!(!error.to_string().contains("this very process"), "{error}");
        assert_eq!(error.waited(), Duration::ZERO);
        holder.end();
    });
}

#[test]
fn an_error_comes_back_out_of_an_io_error_and_can_be_cloned_and_compared() {
    let name = unique_name("io");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let error = lock.try_acquire().unwrap_err();
    let as_io = io::Error::from(error.clone());
    assert_eq!(LockError::from_io(&as_io), Some(&error));
    assert_eq!(LockError::try_from(as_io).unwrap(), error);
    let other = io::Error::from(io::ErrorKind::NotFound);
    assert!(LockError::from_io(&other).is_none());
    assert_eq!(LockError::try_from(other).unwrap_err().kind(), io::ErrorKind::NotFound);

    let refused = |()| lock.with().acquire().and_then(LockGuard::detach).unwrap_err();
    drop(guard);
    let [one, two] = [(), ()].map(refused);
    assert!(matches!(one, LockError::Io { .. }), "{one}");
    assert_eq!(one, two, "the system said the same twice");
    assert_ne!(one, error);
}

#[test]
fn an_error_that_main_returns_reads_as_it_is_shown() {
    let name = unique_name("debug");
    let lock = open(&name);
    let _guard = lock.acquire(LONG).unwrap();
    let error = lock.acquire(LONG).unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    let fields = format!("{error:#?}");
    assert!(fields.starts_with("WouldDeadlock {\n    lock: ") && fields.contains("holder: Some("));
}

#[test]
fn a_call_by_hand_says_which_program_it_is() {
    on_each_backend("program", |name| {
        let lock = open(name);
        let (_guard, line) = (lock.acquire(LONG).unwrap(), line!());
        let info = lock.holder().unwrap().unwrap().info.unwrap();
        let program = std::env::args().next().unwrap();
        let program = program.rsplit('/').next().unwrap();
        assert_eq!(info, format!("{program} ({}:{line})", file!()));
    });
}
