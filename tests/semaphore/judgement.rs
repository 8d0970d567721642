//! Who holds, and how that is known: whatever is asked, the answers agree.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use lockattr::{KnownBy, LockError, Standing, Tenure};

use super::support::{is_timeout, open, unique_semaphore, Actor, LONG};
use super::{post, record_of, take_and_say_nothing, value};

/// Writes a text as resourcelock's `set_lock_info` does, which anybody may call at any time.
fn set_text(name: &str, text: &str) {
    let file = File::options().write(true).open(record_of(name)).unwrap();
    file.write_all_at(format!("{text}\0").as_bytes(), 0).unwrap();
}

#[test]
fn a_holder_whose_semaphore_was_posted_holds_for_whatever_is_asked() {
    let name = unique_semaphore("posted-held");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    post(&name);
    let lock = open(&name);
    for _ in 0..2 {
        assert!(lock.is_locked().unwrap() && lock.standing().unwrap().is_locked());
        assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
        assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Holds);
        assert!(lock.force_release().unwrap(), "it is taken");
        assert_eq!(value(&name), 1, "one unit is enough");
    }
    assert!(is_timeout(&lock.try_acquire()));
    holder.tell("release");
    holder.expect("released");
    assert!(!lock.force_release().unwrap());
    holder.end();
}

#[test]
fn a_text_without_a_time_is_no_sign_of_a_holder() {
    let name = unique_semaphore("text");
    let lock = open(&name);
    drop(lock.with().timeout(LONG).info("mine").acquire().unwrap());
    let me = Some(std::process::id());
    for text in
        ["", "calibrated", "20 characters, and more - x", "2024-10-2O 16:00:51.864484 - no digit"]
    {
        set_text(&name, text);
        let last = lock.last_holder().unwrap().unwrap();
        assert_eq!((last.pid, last.known_by), (me, KnownBy::Record), "{text}");
        assert_eq!((last.tenure, last.info), (Tenure::Released, None), "{text}");
    }
    // Whoever takes the lock writes the time.
    set_text(&name, "2024-10-20 16:00:51.864484 - theirs");
    let last = lock.last_holder().unwrap().unwrap();
    assert_eq!((last.pid, last.known_by, last.tenure), (None, KnownBy::Text, Tenure::Released));
    assert_eq!(last.info.as_deref(), Some("theirs"));

    // What it has changed the text to later is its own, as long as it holds.
    take_and_say_nothing(&name);
    set_text(&name, "calibrating");
    let error = lock.try_acquire().unwrap_err();
    let LockError::Timeout { holder: Some(holder), .. } = error else { panic!("{error:?}") };
    assert_eq!((holder.known_by, holder.info.as_deref()), (KnownBy::Text, Some("calibrating")));
    assert_eq!(lock.holder().unwrap().unwrap(), *holder);
    assert_eq!(lock.last_holder().unwrap().unwrap(), *holder);
}

#[test]
fn another_programs_text_is_not_taken_for_what_a_holder_says() {
    let name = unique_semaphore("text-held");
    let lock = open(&name);
    let guard = lock.with().timeout(LONG).info("mine").acquire().unwrap();
    for text in ["calibrating", "2024-10-20 16:00:51.864484 - theirs"] {
        set_text(&name, text);
        let holder = lock.holder().unwrap().unwrap();
        assert_eq!((holder.pid, holder.info), (Some(std::process::id()), None), "{text}");
    }
    drop(guard);
}

#[test]
fn a_semaphore_that_nobody_explains_is_told_of_in_the_same_words() {
    const WORDS: &str = "taken, and nobody says by whom";

    let name = unique_semaphore("nobody");
    let lock = open(&name);
    drop(lock.with().timeout(LONG).info("the one before").acquire().unwrap());
    take_and_say_nothing(&name);
    assert!(lock.is_locked().unwrap());
    let holder = lock.holder().unwrap().unwrap();
    assert_eq!(holder.to_string(), WORDS);
    let Standing::Orphaned { last: Some(last), .. } = lock.standing().unwrap() else { panic!() };
    assert_eq!(last.info.as_deref(), Some("the one before"));
    assert_eq!(lock.last_holder().unwrap().unwrap(), *last);
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        let start = Instant::now();
        let error = lock.acquire(timeout).unwrap_err();
        // One that has just taken it, and has yet to write that it did, is left this much time for it.
        assert!(start.elapsed() >= Duration::from_millis(5).max(timeout));
        assert!(matches!(error, LockError::Orphaned { .. }), "{error:?}");
        assert!(error.to_string().contains(WORDS), "{error}");
    }
    assert!(lock.force_release().unwrap());
    assert!(lock.holder().unwrap().is_none());
}

#[test]
fn what_a_dead_holder_left_is_neither_held_nor_just_free() {
    let name = unique_semaphore("left");
    let lock = open(&name);
    assert!(matches!(lock.standing().unwrap(), Standing::Free { last: None, .. }));
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let pid = holder.pid();
    holder.kill();
    let Standing::Left { last: Some(dead), .. } = lock.standing().unwrap() else { panic!() };
    assert_eq!((dead.pid, dead.tenure), (Some(pid), Tenure::Died));
    assert!(!lock.is_locked().unwrap());
    assert_eq!(lock.holder().unwrap(), None);
    assert_eq!(lock.last_holder().unwrap().unwrap(), *dead);
    assert!(lock.force_release().unwrap());
    let Standing::Free { last: Some(last), .. } = lock.standing().unwrap() else { panic!() };
    assert_eq!(last, dead);
}
