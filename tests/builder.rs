//! `Lock::with` and `all`: every option with every way to acquire, for one lock and for several.

mod support;

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{all, Backend, Lock, LockError, LockGuard};
use support::{
    hold, on_each_backend, open, unique_name, unique_names, unique_semaphore, unique_tcp, Actor,
    LONG,
};

const SHORT: Duration = Duration::from_millis(40);

#[test]
fn role() {
    support::play(&[("hold", hold)]);
}

fn info(lock: &Lock) -> String {
    lock.holder().unwrap().unwrap().info.unwrap()
}

#[test]
fn a_text_is_seen_whichever_way_the_lock_is_taken() {
    on_each_backend("text", |name| {
        let lock = open(name);
        let request = lock.with().timeout(LONG).info("erasing sector 7");
        let ways: [&dyn Fn() -> Result<LockGuard, LockError>; 3] =
            [&|| request.acquire(), &|| request.try_acquire(), &|| request.reentrant().acquire()];
        for way in ways {
            let guard = way().unwrap();
            assert_eq!(info(&lock), "erasing sector 7");
            drop(guard);
        }
        let here = lock.with().acquire().unwrap();
        assert!(info(&lock).contains(&format!("{}:{}", file!(), line!() - 1)), "{}", info(&lock));
        drop(here);
    });
}

#[test]
fn a_text_is_seen_on_each_of_several_locks() {
    let mut names = unique_names("texts");
    names.push(unique_tcp("texts"));
    let locks: Vec<Lock> = names.iter().map(|name| open(name)).collect();
    let guards = all(&locks).info("each").acquire().unwrap();
    assert!(locks.iter().all(|lock| info(lock) == "each"));
    drop(guards);
    let guards = all(&locks).acquire().unwrap();
    assert!(locks.iter().all(|lock| info(lock).contains(file!())));
    drop(guards);
}

#[test]
fn a_builder_that_is_used_twice_waits_for_the_whole_timeout_each_time() {
    on_each_backend("twice", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let lock = open(name);
        let request = lock.with().timeout(SHORT);
        for _ in 0..2 {
            let start = Instant::now();
            let error = request.acquire().unwrap_err();
            assert!(error.is_timeout() && start.elapsed() >= SHORT, "{error}");
        }
        let start = Instant::now();
        assert!(lock.with().timeout(LONG).try_acquire().unwrap_err().is_timeout());
        assert!(start.elapsed() < LONG / 2, "a try does not wait, whatever the timeout says");
        holder.end();
        drop(request.acquire().unwrap());
    });
}

#[test]
fn without_a_timeout_it_waits_for_a_second_as_the_attribute_does() {
    on_each_backend("default", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let LockError::Timeout { waited, .. } = open(name).with().acquire().unwrap_err() else {
            panic!("no timeout")
        };
        assert!((1.0..3.0).contains(&waited.as_secs_f64()), "{waited:?}");
        holder.end();
    });
}

#[test]
fn no_locks_at_all_are_taken_at_once() {
    let none: [&Lock; 0] = [];
    assert!(all(none).acquire().unwrap().is_empty());
    assert!(all(none.as_slice()).try_acquire().unwrap().is_empty());
    assert!(lockattr::acquire_all(Vec::<Lock>::new(), Duration::ZERO).unwrap().is_empty());
}

#[test]
fn one_lock_twice_is_an_error_that_takes_nothing_unless_it_is_reentrant() {
    on_each_backend("same", |name| {
        let (one, other) = (open(name), open(name));
        let twice = [&one, &other];
        for error in [
            all(twice).timeout(LONG).acquire().unwrap_err(),
            all(twice.as_slice()).timeout(LONG).acquire().unwrap_err(),
        ] {
            assert!(matches!(error, LockError::WouldDeadlock { twice: true, .. }), "{error:?}");
            assert!(error.to_string().contains("asked for twice in one call"), "{error}");
            assert!(!one.is_locked().unwrap() && one.last_holder().unwrap().is_none());
        }
        let guards = all(twice).reentrant().acquire().unwrap();
        drop(guards.into_iter().next());
        assert!(!one.is_locked().unwrap(), "the array's other guard has gone with it");
    });
}

#[test]
fn locks_come_in_whatever_their_owner_keeps_them_in() {
    let names: Vec<_> = (0..3).map(|number| unique_name(&format!("kept-{number}"))).collect();
    let locks: Vec<Lock> = names.iter().map(|name| open(name)).collect();
    let all_held = |guards: &[LockGuard]| {
        let held: Vec<_> = guards.iter().map(LockGuard::lock_name).collect();
        assert_eq!(held, names.iter().map(|name| &**name).collect::<Vec<_>>());
        assert!(locks.iter().all(|lock| lock.is_locked().unwrap()));
    };
    all_held(&all(&locks).acquire().unwrap());
    all_held(&all(locks.as_slice()).acquire().unwrap());
    all_held(&all(locks.iter().collect::<Vec<_>>()).acquire().unwrap());
    all_held(
        &all(<[&Lock; 3]>::try_from(locks.iter().collect::<Vec<_>>()).unwrap()).acquire().unwrap(),
    );
    let shared: Vec<Arc<Lock>> = names.iter().map(|name| Arc::new(open(name))).collect();
    all_held(&all(&shared).acquire().unwrap());
    let counted: Vec<Rc<Lock>> = names.iter().map(|name| Rc::new(open(name))).collect();
    all_held(&lockattr::acquire_all(&counted, LONG).unwrap());
}

#[test]
fn a_slice_of_locks_is_taken_all_or_none_and_never_in_a_circle() {
    let names: Vec<_> = (0..5).map(|number| unique_name(&format!("slice-{number}"))).collect();
    let inside = &AtomicBool::new(false);
    thread::scope(|scope| {
        for rotation in [0, 2, 4] {
            let mut locks: Vec<Lock> = names.iter().map(|name| open(name)).collect();
            locks.rotate_left(rotation);
            scope.spawn(move || {
                for _ in 0..200 {
                    let guards = all(&locks).timeout(LONG).acquire().unwrap();
                    assert!(!inside.swap(true, Ordering::Relaxed));
                    inside.store(false, Ordering::Relaxed);
                    drop(guards);
                }
            });
        }
    });
    let mut holder = Actor::start("hold", &names[3]);
    holder.expect("holding");
    let locks: Vec<Lock> = names.iter().map(|name| open(name)).collect();
    let error = all(&locks).timeout(SHORT).acquire().unwrap_err();
    assert!(error.is_timeout() && error.lock_name() == &*names[3], "{error}");
    assert_eq!(locks.iter().filter(|lock| lock.is_locked().unwrap()).count(), 1, "none is kept");
    holder.end();
}

#[test]
fn a_mode_that_is_known_at_run_time_is_an_error_where_it_cannot_be() {
    let (port, semaphore) = (unique_name("mode"), unique_semaphore("mode"));
    let refused = Lock::open(Backend::Port, &port).unwrap().try_mode(0o660).unwrap_err();
    assert!(refused.to_string().ends_with("only a semaphore has one"), "{refused}");
    for bad in [0, 0o066, 0o700, 0o1660, u32::MAX] {
        let error = open(&semaphore).try_mode(bad).unwrap_err();
        assert!(matches!(error, LockError::InvalidMode { mode, .. } if mode == bad), "{error}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::InvalidInput);
    }
    drop(open(&semaphore).try_mode(0o640).unwrap().acquire(LONG).unwrap());
}

#[cfg(feature = "async")]
mod tasks {
    use std::future::Future;
    use std::io;

    use futures_lite::future::block_on;

    use super::*;

    #[test]
    fn a_text_is_seen_of_a_task_and_of_several_locks_of_a_task() {
        on_each_backend("async-text", |name| {
            let lock = open(name);
            let guard = block_on(lock.with().info("polls").acquire_async()).unwrap();
            assert_eq!(info(&lock), "polls");
            drop(guard);
            let guards = block_on(all(&[&lock]).info("polls all").acquire_async()).unwrap();
            assert_eq!(info(&lock), "polls all");
            drop(guards);
            let guards = block_on(all(vec![&lock]).acquire_async()).unwrap();
            assert!(info(&lock).contains(file!()), "{}", info(&lock));
            drop(guards);
        });
    }

    #[test]
    fn a_task_that_asks_to_enter_again_or_for_one_lock_twice_is_told_at_once() {
        on_each_backend("async-again", |name| {
            let lock = open(name);
            let reentrant = block_on(lock.with().timeout(LONG).reentrant().acquire_async());
            let error = io::Error::from(reentrant.unwrap_err());
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
            let reentrant = block_on(all([&lock]).reentrant().acquire_async());
            assert!(matches!(reentrant, Err(LockError::Io { .. })));
            let twice = block_on(lockattr::acquire_all_async(vec![&lock, &lock], LONG));
            assert!(matches!(twice, Err(LockError::WouldDeadlock { twice: true, .. })));
            assert!(!lock.is_locked().unwrap());
            let none: &[Lock] = &[];
            assert!(block_on(all(none).acquire_async()).unwrap().is_empty());
        });
    }

    #[test]
    fn a_future_outlives_the_lock_it_was_made_of_and_its_time_begins_when_it_is_polled() {
        fn is_static<F: Future + Send + 'static>(future: F) -> F {
            future
        }
        on_each_backend("outlives", |name| {
            let future = is_static(open(name).acquire_async(SHORT));
            let guard = open(name).acquire(LONG).unwrap();
            thread::sleep(2 * SHORT);
            let start = Instant::now();
            let error = block_on(future).unwrap_err();
            assert!(error.is_timeout() && start.elapsed() >= SHORT, "{error}");
            drop(guard);
        });
    }
}
