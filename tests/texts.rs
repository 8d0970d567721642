//! Texts that are changed while a lock is held.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use lockattr::{Lock, LockError, LockGuard, Tenure};
use support::{eventually, listen, on_each_backend, open, say, Actor, End, LONG};

#[test]
fn role() {
    support::play(&[("tell", tell), ("change and be killed", change_and_be_killed)]);
}

fn tell(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    guard.set_info("half way").unwrap();
    say("told");
    listen();
}

fn change_and_be_killed(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    say("holding");
    for number in 0_u64.. {
        guard.set_info(&format!("{number} {}", "x".repeat(3_000))).unwrap();
    }
}

fn info(lock: &Lock) -> Option<String> {
    lock.holder().unwrap().unwrap().info
}

#[test]
fn others_see_a_text_at_once_and_until_the_next() {
    on_each_backend("seen", |name| {
        let mut holder = Actor::start("tell", name);
        holder.expect("told");
        let lock = open(name);
        assert_eq!(info(&lock).as_deref(), Some("half way"));
        let LockError::Timeout { holder: Some(told), .. } = lock.try_acquire().unwrap_err() else {
            panic!("no holder")
        };
        assert_eq!(told.info.as_deref(), Some("half way"));
        holder.end();
        let last = lock.last_holder().unwrap().unwrap();
        assert_eq!(last.info.as_deref(), Some("half way"));
        let guard = lock.acquire(LONG).unwrap();
        assert!(info(&lock).unwrap().contains(file!()));
        drop(guard);
    });
}

#[test]
fn a_long_text_is_cut_and_control_characters_are_escaped() {
    on_each_backend("long", |name| {
        let lock = open(name);
        let guard = lock.acquire(LONG).unwrap();
        let since = lock.holder().unwrap().unwrap().since;
        guard.set_info(&"ä".repeat(50_000)).unwrap();
        let told = info(&lock).unwrap();
        assert!(
            (3_400..3_584).contains(&told.len()) && told.chars().all(|c| c == 'ä'),
            "{}",
            told.len()
        );
        guard.set_info("a\0b\u{1b}[2J\nc").unwrap();
        let holder = lock.holder().unwrap().unwrap();
        assert_eq!(holder.info.as_deref(), Some("a\u{fffd}b\u{1b}[2J\nc"));
        assert!(!holder.to_string().contains(char::is_control), "{holder}");
        assert_eq!(holder.since, since, "since when it is held has not changed");
        guard.set_info("").unwrap();
        assert_eq!(info(&lock).as_deref(), Some(""));
        drop(guard);
    });
}

#[test]
fn each_guard_of_a_thread_that_entered_again_can_change_the_text() {
    on_each_backend("again", |name| {
        let lock = open(name);
        let outer = lock.with().reentrant().acquire().unwrap();
        let inner = lock.with().reentrant().acquire().unwrap();
        inner.set_info("inner").unwrap();
        assert_eq!(info(&lock).as_deref(), Some("inner"));
        outer.set_info("outer").unwrap();
        drop(outer);
        assert_eq!(info(&lock).as_deref(), Some("outer"));
        inner.set_info("left").unwrap();
        assert_eq!(info(&lock).as_deref(), Some("left"));
    });
}

#[test]
fn a_reader_never_sees_a_torn_text() {
    on_each_backend("torn", |name| {
        let (lock, done, seen) = (open(name), AtomicBool::new(false), AtomicU32::new(0));
        let guard = lock.acquire(LONG).unwrap();
        let texts = ["a".repeat(3_000), "b".repeat(1_500), "c".repeat(60)];
        thread::scope(|scope| {
            let end = End(&done);
            let read = || {
                while !done.load(Ordering::Relaxed) {
                    // None is seen while a text is being written.
                    if let Some(text) = open(name).holder().unwrap().and_then(|holder| holder.info)
                    {
                        assert!(texts.contains(&text) || text.contains(file!()), "{text}");
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            };
            let reader = scope.spawn(read);
            let mut texts = texts.iter().cycle();
            // The reader's thread may start late.
            eventually("a text is seen whole", || {
                for text in texts.by_ref().take(20_000) {
                    guard.set_info(text).unwrap();
                }
                seen.load(Ordering::Relaxed) > 0 || reader.is_finished()
            });
            drop(end);
            reader.join().unwrap();
        });
    });
}

#[test]
fn a_holder_that_is_killed_while_it_changes_its_text_is_recovered_from() {
    on_each_backend("killed", |name| {
        let lock = open(name);
        for _ in 0..30 {
            let mut holder = Actor::start("change and be killed", name);
            holder.expect("holding");
            holder.kill();
            let guard = lock.acquire(LONG).unwrap();
            let died = guard.recovered_from().map(|holder| holder.tenure);
            assert_eq!(died, Some(Tenure::Died));
            drop::<LockGuard>(guard);
        }
    });
}
