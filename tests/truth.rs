//! Who is named as the one that has a port lock: never a process that has let go of it.

mod support;

use std::time::{Duration, Instant};

use lockattr::{Holder, KnownBy, LockError, Tenure};
use nix::sys::signal::Signal;
use support::ledger::spin;
use support::unique_name;
use support::{end_child, keep_copies_in_a_child};
use support::{eventually, hold, is_timeout, listen, open, say, wait, waits_in_queue};
use support::{Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("wait", wait),
        ("wait briefly", wait_briefly),
        ("clone and release late", clone_and_release_late),
        ("clone and release", clone_and_release),
        ("clone and die", clone_and_die),
        ("pass on", pass_on),
        ("take turns", |name| take_turns(name, Duration::from_millis(1), Duration::ZERO)),
        // For a shorter time than a look takes.
        ("come and go", |name| {
            take_turns(name, Duration::from_micros(20), Duration::from_micros(100));
        }),
    ]);
}

/// Whom a timeout names.
#[track_caller]
fn named(name: &str, timeout: Duration) -> (Holder, String) {
    let error = open(name).acquire(timeout).unwrap_err();
    let text = error.to_string();
    let LockError::Timeout { holder: Some(holder), .. } = error else { panic!("{error:?}") };
    (*holder, text)
}

/// A process that holds, and one in its queue.
fn holder_and_waiter(name: &str, role: &str) -> (Actor, Actor) {
    let mut holder = Actor::start("hold", name);
    holder.expect("holding");
    let mut waiter = Actor::start(role, name);
    waiter.expect("waiting");
    eventually("the waiter waits", || waits_in_queue(waiter.pid()));
    (holder, waiter)
}

fn stop(actor: &Actor) {
    actor.stop();
    eventually("it is stopped", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", actor.pid())).unwrap();
        status.contains("State:\tT")
    });
}

#[test]
fn a_lock_on_its_way_to_a_stopped_process_is_not_blamed_on_who_gave_it() {
    let name = unique_name("on-its-way");
    let (mut holder, mut waiter) = holder_and_waiter(&name, "wait");
    stop(&waiter);
    holder.tell("release");
    holder.expect("released");
    let timeouts = [Duration::from_millis(20), Duration::ZERO, Duration::from_millis(20)];
    for (named, text) in timeouts.map(|timeout| named(&name, timeout)) {
        assert_eq!((named.pid, named.tenure), (Some(waiter.pid()), Tenure::OnItsWay), "{named:?}");
        assert!(named.stopped && named.command.is_some(), "{named:?}");
        assert!(text.contains(&format!("on its way to pid {}", waiter.pid())), "{text}");
        assert!(text.contains("stopped)"), "{text}");
    }
    let looked = open(&name).holder().unwrap().unwrap();
    assert_eq!((looked.pid, looked.tenure), (Some(waiter.pid()), Tenure::OnItsWay));
    // Also when the one that gave it has ended.
    holder.end();
    let (named, _) = named(&name, Duration::from_millis(20));
    assert_eq!((named.pid, named.tenure), (Some(waiter.pid()), Tenure::OnItsWay), "{named:?}");
    waiter.signal(Signal::SIGCONT);
    waiter.expect("acquired");
    let looked = open(&name).holder().unwrap().unwrap();
    assert_eq!((looked.pid, looked.tenure), (Some(waiter.pid()), Tenure::Holds));
    assert!(!looked.stopped);
    waiter.end();
}

#[test]
fn what_a_waiter_that_has_gone_was_not_sent_is_not_said_to_be_on_its_way() {
    let name = unique_name("gone");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    assert!(is_timeout(&std::thread::scope(|scope| {
        scope.spawn(|| lock.acquire(Duration::from_millis(1))).join().unwrap()
    })));
    drop(guard);
    assert!(!lock.is_locked().unwrap());
    drop(lock.try_acquire().unwrap());
}

fn wait_briefly(name: &str) {
    let lock = open(name);
    say("waiting");
    match lock.acquire(Duration::from_secs(1)) {
        Ok(_) => say("acquired"),
        Err(error) => say(if error.is_timeout() { "timed out" } else { "failed" }),
    }
    listen();
}

#[test]
fn a_lock_that_is_taken_up_long_after_the_deadline_is_passed_on() {
    let name = unique_name("late");
    let (mut holder, mut late) = holder_and_waiter(&name, "wait briefly");
    let mut next = Actor::start("wait", &name);
    next.expect("waiting");
    eventually("the next waits", || waits_in_queue(next.pid()));
    stop(&late);
    holder.tell("release");
    holder.expect("released");
    // Until its time is over.
    assert!(is_timeout(&open(&name).acquire(Duration::from_millis(1100))));
    late.signal(Signal::SIGCONT);
    late.expect("timed out");
    next.expect("acquired");
    let looked = open(&name).holder().unwrap().unwrap();
    assert_eq!((looked.pid, looked.tenure), (Some(next.pid()), Tenure::Holds));
    next.end();
    late.end();
    holder.end();
}

/// Waits with a timeout of a second, and does not look until it is told.
#[cfg(feature = "async")]
fn pass_on(name: &str) {
    use futures_lite::future::{block_on, poll_once};
    let lock = open(name);
    let mut waiting = std::pin::pin!(lock.acquire_async(Duration::from_secs(1)));
    assert!(block_on(poll_once(waiting.as_mut())).is_none());
    say("waiting");
    listen();
    say(if block_on(waiting).is_err_and(|error| error.is_timeout()) { "timed out" } else { "?" });
    listen();
}

#[cfg(not(feature = "async"))]
fn pass_on(_: &str) {}

#[cfg(feature = "async")]
#[test]
fn a_future_that_is_not_polled_is_told_and_passes_on_what_it_finds_too_late() {
    let name = unique_name("unpolled");
    let (mut holder, mut unpolled) = holder_and_waiter(&name, "pass on");
    holder.tell("release");
    holder.expect("released");
    let (named, _) = named(&name, Duration::from_millis(1100));
    assert_eq!((named.pid, named.tenure), (Some(unpolled.pid()), Tenure::OnItsWay));
    assert!(!named.stopped);
    unpolled.tell("poll");
    unpolled.expect("timed out");
    drop(open(&name).acquire(LONG).unwrap());
    unpolled.end();
    holder.end();
}

/// By a process that asks of its own future, as by others.
#[cfg(feature = "async")]
#[test]
fn a_lock_on_its_way_to_a_future_of_this_process_is_told_as_such() {
    use futures_lite::future::{block_on, poll_once};

    let name = unique_name("own-way");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let lock = open(&name);
    let mut future = std::pin::pin!(lock.acquire_async(LONG));
    assert!(block_on(poll_once(future.as_mut())).is_none());
    holder.tell("release");
    holder.expect("released");
    let looked = open(&name).holder().unwrap().unwrap();
    assert_eq!((looked.pid, looked.tenure), (Some(std::process::id()), Tenure::OnItsWay));
    drop(block_on(future).unwrap());
    assert!(open(&name).holder().unwrap().is_none());
    holder.end();
}

fn clone_and_release(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    let child = keep_copies_in_a_child();
    drop(guard);
    say(&child.to_string());
    listen();
    end_child(child);
    say("ended");
    listen();
}

/// As [`clone_and_release`], where a waiter has gone meanwhile.
fn clone_and_release_late(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    let child = keep_copies_in_a_child();
    say(&child.to_string());
    listen();
    drop(guard);
    say("released");
    listen();
    end_child(child);
}

/// Its entry is still in the queue: the holder finds it, and that nothing can be sent there.
#[test]
fn a_lock_that_was_not_sent_to_a_waiter_that_has_gone_is_kept_by_its_copy() {
    let name = unique_name("not-sent");
    let mut parent = Actor::start("clone and release late", &name);
    let child: u32 = parent.hear().parse().unwrap();
    let lock = open(&name);
    assert!(is_timeout(&lock.acquire(Duration::from_millis(1))));
    parent.tell("release");
    parent.expect("released");
    let looked = open(&name).holder().unwrap().unwrap();
    assert_eq!((looked.pid, looked.tenure), (Some(child), Tenure::Copied));
    parent.tell("end");
    drop(lock.acquire(LONG).unwrap());
    parent.end();
}

fn clone_and_die(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    say(&keep_copies_in_a_child().to_string());
    listen();
    std::mem::forget(guard);
}

#[test]
fn a_released_lock_that_a_copy_keeps_is_not_blamed_on_who_released() {
    let name = unique_name("copied");
    let mut parent = Actor::start("clone and release", &name);
    let child: u32 = parent.hear().parse().unwrap();
    let (found, text) = named(&name, Duration::from_millis(20));
    assert_eq!(found.tenure, Tenure::Copied, "{found:?}");
    // A search that is over before it is found names nobody, which is as true.
    if found.pid.is_some() {
        assert_eq!((found.pid, found.known_by), (Some(child), KnownBy::Proc));
    }
    assert!(text.contains("kept taken by a copy in another process"), "{text}");
    // With time to look, it is found.
    let looked = open(&name).holder().unwrap().unwrap();
    assert_eq!((looked.pid, looked.tenure), (Some(child), Tenure::Copied));
    // Who only tries does not search.
    let (tried, _) = named(&name, Duration::ZERO);
    assert_eq!((tried.pid, tried.tenure), (None, Tenure::Copied));
    parent.tell("end");
    parent.expect("ended");
    drop(open(&name).acquire(LONG).unwrap());
    parent.end();
}

#[test]
fn a_lock_that_a_copy_keeps_is_not_blamed_on_the_dead() {
    let name = unique_name("copied-dead");
    let mut parent = Actor::start("clone and die", &name);
    let child: u32 = parent.hear().parse().unwrap();
    let dead = parent.pid();
    parent.kill();
    let (found, _) = named(&name, Duration::from_millis(20));
    assert_eq!(found.tenure, Tenure::Copied, "{found:?}");
    assert_ne!(found.pid, Some(dead));
    let looked = open(&name).holder().unwrap().unwrap();
    assert_eq!((looked.pid, looked.tenure), (Some(child), Tenure::Copied));
    end_child(child);
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    assert_eq!(guard.recovered_from().unwrap().pid, Some(dead));
}

/// Holds for a moment, again and again.
fn take_turns(name: &str, hold: Duration, pause: Duration) {
    let lock = open(name);
    loop {
        let guard = lock.acquire(LONG).unwrap();
        spin(hold);
        drop(guard);
        spin(pause);
    }
}

/// The record is read beside a look at the lock, and the lock can come or go between the two.
#[test]
fn who_gives_a_lock_back_during_a_look_has_not_died() {
    support::on_each_backend("no-deaths", |name| {
        let other = Actor::start("come and go", name);
        let lock = open(name);
        let start = Instant::now();
        let mut died = Vec::new();
        while start.elapsed() < Duration::from_secs(1) {
            let last = lock.last_holder().unwrap();
            let standing = lock.standing().unwrap().into_last_holder();
            died.extend(last.into_iter().chain(standing).filter(|it| it.tenure == Tenure::Died));
        }
        other.kill();
        assert!(died.is_empty(), "{} times: {:?}", died.len(), died[0]);
    });
}

/// A look is of several steps, and the lock can go on between any two of them: then the holder by the one is another than
/// that by the next.
#[test]
fn who_passes_a_lock_on_during_a_look_is_not_taken_for_one_that_has_just_come() {
    support::on_each_backend("turns", |name| {
        let turns = [Actor::start("take turns", name), Actor::start("take turns", name)];
        let lock = open(name);
        let mut looks = Vec::new();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            looks.extend(lock.holder().unwrap());
        }
        turns.into_iter().for_each(Actor::kill);
        // Between the grant of one and the next grant, of the other, the one has not taken it once more.
        let is_next = |[one, other]: [&Holder; 2]| {
            other.grants.is_some()
                && other.grants == one.grants.and_then(|grants| grants.checked_add(1))
                && other.pid != one.pid
        };
        for three in looks.windows(3).filter(|three| is_next([&three[0], &three[2]])) {
            let [one, between, _] = three else { unreachable!() };
            let is_other = between.pid != one.pid || between.grants.is_some();
            assert!(is_other && between.tenure != Tenure::Copied, "{three:?}");
        }
    });
}
