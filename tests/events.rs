//! What a subscriber is told.

mod support;

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{all, events, Cancel, Lock, LockError};
use support::{hold, on_each_backend, open, unique_name, unique_semaphore, Actor, LONG};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{subscriber, Event, Level, Metadata, Subscriber};

#[test]
fn role() {
    support::play(&[("hold", hold), ("drop in a child", drop_in_a_child), ("settings", settings)]);
}

type React = Box<dyn Fn(&str) + Send + Sync>;

/// Keeps what it is told, one line an event: the level, the name, and the fields.
struct Recorder {
    level: Level,
    told: Arc<Mutex<Vec<String>>>,
    react: React,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "lockattr" && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.level(), metadata.name()));
        event.record(&mut line);
        self.told.lock().unwrap().push(line.0.clone());
        (self.react)(&line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What is told while `uses` runs.
fn told(level: Level, uses: impl FnOnce()) -> Vec<String> {
    told_to(level, Box::new(|_| {}), uses)
}

fn told_to(level: Level, react: React, uses: impl FnOnce()) -> Vec<String> {
    let told = Arc::default();
    let recorder = Recorder { level, told: Arc::clone(&told), react };
    subscriber::with_default(recorder, uses);
    let told = told.lock().unwrap();
    told.clone()
}

/// The names of what was told.
fn names(told: &[String]) -> Vec<&str> {
    told.iter().map(|line| line.split(' ').nth(1).unwrap()).collect()
}

#[track_caller]
fn assert_has(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "no {part} in: {line}");
    }
}

fn waited_ms(line: &str) -> f64 {
    let waited = line.split("waited_ms=").nth(1).unwrap().split(' ').next().unwrap();
    waited.parse().unwrap()
}

#[test]
fn a_grant_and_a_release_are_told() {
    on_each_backend("told", |name| {
        let lock = open(name);
        let told = told(Level::DEBUG, || drop(lock.try_acquire().unwrap()));
        assert_eq!(names(&told), ["lockattr.granted", "lockattr.released"]);
        assert_has(&told[0], &["DEBUG", &format!("lock=\"{name}\"")]);
        assert!(waited_ms(&told[0]) < 10_000.0, "{told:?}");
        assert_has(
            &told[1],
            &["DEBUG", &format!("lock=\"{name}\""), "held_ms=", "how=\"released\""],
        );
    });
}

#[test]
fn a_subscriber_hears_nothing_below_its_level() {
    on_each_backend("level", |name| {
        let lock = open(name);
        assert!(told(Level::INFO, || drop(lock.try_acquire().unwrap())).is_empty());
    });
}

#[test]
fn a_wait_is_told_once_and_then_how_it_ended() {
    on_each_backend("wait", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let lock = open(name);
        let told = told(Level::DEBUG, || {
            lock.acquire(Duration::from_millis(400)).unwrap_err();
        });
        assert_eq!(names(&told), ["lockattr.waiting", "lockattr.timed_out"]);
        for line in &told {
            assert_has(line, &["INFO", "waited_ms=", "held for", &format!("pid {}", holder.pid())]);
        }
    });
}

#[test]
fn a_wait_that_ends_well_is_told_with_its_time() {
    on_each_backend("wait-well", |name| {
        let holder = RefCell::new(Actor::start("hold", name));
        holder.borrow_mut().expect("holding");
        let holder = Mutex::new(holder.into_inner());
        let react = move |line: &str| {
            if line.contains("lockattr.waiting") {
                holder.lock().unwrap().tell("release");
            }
        };
        let told =
            told_to(Level::DEBUG, Box::new(react), || drop(open(name).acquire(LONG).unwrap()));
        assert_eq!(names(&told), ["lockattr.waiting", "lockattr.granted", "lockattr.released"]);
        assert!(waited_ms(&told[1]) >= 100.0, "{told:?}");
    });
}

#[test]
fn a_try_that_is_refused_and_a_cancelled_wait_are_told() {
    on_each_backend("refused", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let (lock, cancel) = (open(name), Cancel::new());
        let told = told(Level::DEBUG, || {
            lock.try_acquire().unwrap_err();
            cancel.cancel();
            lock.with().cancelled_by(&cancel).acquire().unwrap_err();
        });
        assert_eq!(names(&told), ["lockattr.refused", "lockattr.cancelled"]);
        assert_has(&told[0], &["DEBUG", "held for"]);
    });
}

#[test]
fn an_acquire_that_fails_for_another_reason_is_told() {
    on_each_backend("failed", |name| {
        let lock = open(name);
        let _guard = lock.try_acquire().unwrap();
        let told = told(Level::DEBUG, || drop(lock.try_acquire().unwrap_err()));
        assert_eq!(names(&told), ["lockattr.failed"]);
        assert_has(&told[0], &["DEBUG", &format!("lock=\"{name}\""), "error=", "holds it already"]);
    });
}

#[test]
fn the_ends_of_holds_are_told_apart() {
    let name = unique_semaphore("ends");
    let lock = open(&name);
    let told = told(Level::DEBUG, || {
        lock.try_acquire().unwrap().abandon();
        lock.try_acquire().unwrap().detach().unwrap();
        assert!(lock.force_release().unwrap());
        lock.remove_files().unwrap();
    });
    let ends = told
        .iter()
        .filter(|line| line.contains("released"))
        .map(|line| line.split("how=").nth(1).unwrap());
    assert_eq!(ends.collect::<Vec<_>>(), ["\"abandoned\"", "\"detached\"", "\"removed\""]);
    assert_eq!(names(&told)[2], "lockattr.recovered", "{told:?}");
}

#[test]
fn a_death_that_is_recovered_from_is_told() {
    on_each_backend("recovered", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let pid = format!("pid {}", holder.pid());
        holder.kill();
        let told = told(Level::WARN, || drop(open(name).acquire(LONG).unwrap()));
        assert_eq!(names(&told), ["lockattr.recovered"]);
        assert_has(&told[0], &["WARN", "last=", &pid]);
    });
}

#[test]
fn a_lock_that_was_torn_away_is_told_after_the_release() {
    let name = unique_semaphore("torn");
    let lock = open(&name);
    let is_held = open(&name);
    let react = move |_: &str| assert!(!is_held.is_held_by_process());
    let told = told_to(Level::WARN, Box::new(react), || {
        let guard = lock.try_acquire().unwrap();
        let record = std::fs::OpenOptions::new().write(true).open(format!("/dev/shm/{}", &*name));
        record.unwrap().write_all(&[b'x'; 4096]).unwrap();
        guard.detach().unwrap();
    });
    assert_eq!(names(&told), ["lockattr.torn_away"]);
}

#[test]
fn a_surplus_is_told_when_the_lock_is_taken() {
    let name = unique_semaphore("surplus");
    let lock = open(&name);
    let is_held = open(&name);
    let react = move |_: &str| assert!(is_held.is_held_by_process());
    let told = told_to(Level::WARN, Box::new(react), || {
        drop(lock.acquire(LONG).unwrap());
        post(&name);
        drop(lock.acquire(LONG).unwrap());
    });
    assert_eq!(names(&told), ["lockattr.surplus_units"]);
    assert_has(&told[0], &["WARN", "units=1"]);
}

/// As a program that releases what is not taken.
#[allow(unsafe_code)] // the C library's semaphores
fn post(name: &str) {
    use nix::libc;

    let path = std::ffi::CString::new(format!("/{name}")).unwrap();
    // SAFETY: a semaphore that exists, for as long as it is open.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_ne!(semaphore, libc::SEM_FAILED);
        assert_eq!(libc::sem_post(semaphore), 0);
        libc::sem_close(semaphore);
    }
}

#[test]
fn a_record_that_cannot_be_written_is_told_when_the_lock_is_taken() {
    let name = unique_name("record");
    let file = format!("/dev/shm/lockattr.{}.{name}", nix::unistd::geteuid());
    std::fs::create_dir(&file).unwrap();
    let lock = open(&name);
    let is_held = open(&name);
    let react = move |_: &str| assert!(is_held.is_held_by_process());
    let told = told_to(Level::WARN, Box::new(react), || drop(lock.try_acquire().unwrap()));
    std::fs::remove_dir(&file).unwrap();
    assert_eq!(names(&told), ["lockattr.record_unavailable"]);
    assert_has(&told[0], &["WARN", "error="]);
}

#[test]
fn several_locks_are_told_when_all_are_taken_and_not_at_all_if_one_fails() {
    on_each_backend("several", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let (before, after) = (unique_name("a-before"), unique_name("z-after"));
        let (before, held, after) = (open(&before), open(name), open(&after));
        let told = told(Level::DEBUG, || {
            all([&held, &before]).timeout(Duration::ZERO).acquire().unwrap_err();
            assert!(!before.is_locked().unwrap());
            drop(all(vec![&after, &before]).acquire().unwrap());
        });
        assert_eq!(
            names(&told),
            [
                "lockattr.refused",
                "lockattr.granted",
                "lockattr.granted",
                "lockattr.released",
                "lockattr.released"
            ]
        );
        assert_has(&told[1], &["z-after"]);
    });
}

#[test]
fn a_thread_that_enters_again_is_told_of_one_hold() {
    on_each_backend("again", |name| {
        let lock = open(name);
        let told = told(Level::DEBUG, || {
            let first = lock.with().reentrant().acquire().unwrap();
            let second = lock.with().reentrant().acquire().unwrap();
            drop(first);
            drop(second);
        });
        assert_eq!(names(&told), ["lockattr.granted", "lockattr.released"]);
    });
}

/// A role of its own: the times are those of a process.
fn settings(name: &str) {
    let lock = open(name);
    events::set_waiting_after(Duration::MAX);
    events::set_held_warning(Some(Duration::from_millis(50)));
    let during = told(Level::DEBUG, || {
        lock.acquire(Duration::from_millis(700)).unwrap_err();
    });
    support::say(&format!("{:?}", names(&during)));
    assert_has(&during[0], &["WARN", "holder=", "held_ms="]);
    support::listen();
    let after = told(Level::WARN, || {
        let guard = lock.acquire(LONG).unwrap();
        while guard.held_for() < Duration::from_millis(50) {
            thread::yield_now();
        }
        drop(guard);
    });
    support::say(&format!("{:?}", names(&after)));
    events::set_held_warning(None);
    let never = told(Level::DEBUG, || drop(lock.acquire(LONG).unwrap()));
    support::say(&format!("{:?}", names(&never)));
    support::listen();
}

#[test]
fn a_long_hold_is_warned_of_by_its_waiters_once_and_by_itself_at_its_end() {
    on_each_backend("long", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut waiter = Actor::start("settings", name);
        waiter.expect(r#"["lockattr.held_long", "lockattr.timed_out"]"#);
        holder.tell("release");
        holder.expect("released");
        waiter.tell("go on");
        waiter.expect(r#"["lockattr.held_long"]"#);
        waiter.expect(r#"["lockattr.granted", "lockattr.released"]"#);
    });
}

#[test]
fn a_subscriber_may_take_locks_and_hears_nothing_of_them() {
    on_each_backend("taking", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let others_name = unique_name("subscribers");
        let (own, other) = (open(name), open(&others_name));
        let refused = Arc::new(Mutex::new(Vec::new()));
        let refusals = Arc::clone(&refused);
        let react = move |line: &str| {
            drop(other.acquire(LONG).unwrap());
            if line.contains("lockattr.waiting") {
                // It would queue behind this very thread.
                refusals.lock().unwrap().push(own.acquire(Duration::MAX).unwrap_err());
            }
        };
        let lock = open(name);
        let begun = Instant::now();
        let told = told_to(Level::TRACE, Box::new(react), || {
            lock.acquire(Duration::from_millis(300)).unwrap_err();
        });
        assert!(begun.elapsed() < LONG);
        assert_eq!(names(&told), ["lockattr.waiting", "lockattr.timed_out"]);
        let refused = refused.lock().unwrap();
        assert!(matches!(&refused[..], [LockError::Io { .. }]), "{refused:?}");
        assert!(refused[0].to_string().contains("subscriber"), "{}", refused[0]);
    });
}

#[test]
fn a_subscriber_that_panics_in_a_wait_leaves_the_queue() {
    on_each_backend("panics", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let lock = open(name);
        let panics = |line: &str| assert!(!line.contains("lockattr.waiting"), "as it is told");
        let wait = || {
            told_to(Level::INFO, Box::new(panics), || drop(lock.acquire(LONG)));
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(wait)).unwrap_err();
        holder.tell("release");
        holder.expect("released");
        let told = told(Level::DEBUG, || drop(lock.acquire(LONG).unwrap()));
        assert_eq!(names(&told), ["lockattr.granted", "lockattr.released"], "it tells again");
    });
}

#[test]
fn a_subscriber_that_panics_at_a_grant_gives_the_lock_back() {
    on_each_backend("panics-granted", |name| {
        let lock = open(name);
        let panics = |line: &str| assert!(!line.contains("lockattr.granted"), "as it is told");
        let take = || {
            told_to(Level::DEBUG, Box::new(panics), || drop(lock.try_acquire()));
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(take)).unwrap_err();
        assert!(!lock.is_locked().unwrap());
    });
}

#[allow(unsafe_code)] // fork
fn drop_in_a_child(name: &str) {
    let lock = open(name);
    let mut guard = Some(lock.try_acquire().unwrap());
    let heard = told(Level::TRACE, || {
        // SAFETY: the child of this thread drops a guard, and ends.
        match unsafe { nix::unistd::fork() }.unwrap() {
            nix::unistd::ForkResult::Child => drop(guard.take()),
            nix::unistd::ForkResult::Parent { child } => {
                nix::sys::wait::waitpid(child, None).unwrap();
            }
        }
    });
    if guard.is_none() {
        support::say(&format!("{heard:?}"));
        // SAFETY: the child ends as it is.
        unsafe { nix::libc::_exit(0) };
    }
    drop(guard);
    support::say("dropped");
    support::listen();
}

#[test]
fn a_child_tells_nothing_of_its_parents_guard() {
    on_each_backend("child", |name| {
        let mut parent = Actor::start("drop in a child", name);
        parent.expect("[]");
        parent.expect("dropped");
    });
}

#[cfg(feature = "async")]
#[test]
fn tasks_tell_the_same() {
    use futures_lite::future::block_on;

    on_each_backend("task", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let lock: Lock = open(name);
        let timed_out = told(Level::DEBUG, || {
            block_on(lock.acquire_async(Duration::from_millis(400))).unwrap_err();
        });
        assert_eq!(names(&timed_out), ["lockattr.waiting", "lockattr.timed_out"]);
        holder.tell("release");
        holder.expect("released");
        let granted = told(Level::DEBUG, || drop(block_on(lock.acquire_async(LONG)).unwrap()));
        assert_eq!(names(&granted), ["lockattr.granted", "lockattr.released"]);
    });
}
