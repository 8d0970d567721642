//! One of the two holds, and the other is refused or waits.

use std::thread;

use super::super::support::{is_timeout, LONG};
use super::{behind_time, Name, SHORT};

#[test]
fn what_python_holds_is_refused_and_its_text_shown() {
    let name = Name::new("python-holds");
    let Some(mut python) = name.python() else { return };
    assert!(!name.lock().is_locked().unwrap());
    assert_eq!(python.ask("lock.get_lock(1, lock_info='tempmon.loop #3')"), "True");
    name.assert_held_by_text("tempmon.loop #3");
    assert_eq!(python.ask("lock.unget_lock()"), "True");
    assert!(!name.lock().is_locked().unwrap());
    assert_eq!(name.lock().holder().unwrap(), None);
    let guard = name.lock().try_acquire().unwrap();
    assert_eq!(guard.recovered_from(), None);
    drop(guard);
    name.assert_in_order(&mut python);
}

#[test]
fn what_rust_holds_python_is_refused_and_shown_the_call_site() {
    let name = Name::new("rust-holds");
    let Some(mut python) = name.python() else { return };
    let (guard, line) = (name.lock().acquire(LONG).unwrap(), line!());
    assert_eq!(python.ask("lock.get_lock(0.2)"), "False");
    assert_eq!(python.ask("lock.is_locked()"), "True");
    assert_eq!(python.ask("lock.unget_lock()"), "False", "not Python's");
    let text = python.ask("lock.get_lock_info()");
    // Python's users see no more than this: so it says which program it is.
    assert!(behind_time(&text).starts_with("interop-"), "{text}");
    assert!(text.ends_with(&format!(" ({}:{line})", file!())), "{text}");
    drop(guard);
    assert_eq!(python.ask("lock.is_locked()"), "False");
    assert_eq!(python.ask("lock.get_lock_info()"), text, "it stays, as history");
    assert_eq!(python.ask("lock.get_lock(0.2)"), "True");
    assert_ne!(python.ask("lock.get_lock_info()"), text);
    assert!(is_timeout(&name.lock().try_acquire()));
}

#[test]
fn whoever_waits_has_the_lock_when_the_other_releases() {
    let name = Name::new("wait");
    let Some(mut python) = name.python() else { return };
    for _ in 0..5 {
        assert_eq!(python.ask("lock.get_lock(1)"), "True");
        thread::scope(|scope| {
            let waiter = scope.spawn(|| name.lock().acquire(LONG).unwrap());
            name.until_somebody_waits();
            assert_eq!(python.ask("lock.unget_lock()"), "True");
            let guard = waiter.join().unwrap();
            assert_eq!(guard.recovered_from(), None);

            python.tell("lock.get_lock(60)");
            name.until_somebody_waits();
            drop(guard);
        });
        assert_eq!(python.answer(), "True");
        assert!(is_timeout(&name.lock().try_acquire()));
        assert_eq!(python.ask("lock.unget_lock()"), "True");
    }
    name.assert_in_order(&mut python);
}

#[test]
fn who_enters_again_gives_back_with_pythons_first_release_and_rusts_last() {
    let name = Name::new("again");
    let Some(mut python) = name.python() else { return };
    let lock = name.lock();
    let enter = || lock.with().timeout(SHORT).reentrant().acquire();
    for _ in 0..2 {
        assert_eq!(python.ask("lock.get_lock(0.1, same_process_ok=True)"), "True");
    }
    assert!(is_timeout(&enter()));
    assert_eq!(python.ask("lock.unget_lock()"), "True");

    for outer_first in [false, true] {
        let (outer, inner) = (enter().unwrap(), enter().unwrap());
        assert_eq!(python.ask("lock.unget_lock()"), "False", "it has been given back");
        assert_eq!(python.ask("lock.get_lock(0.1, same_process_ok=True)"), "False");
        let last = if outer_first {
            drop(outer);
            inner
        } else {
            drop(inner);
            outer
        };
        assert_eq!(python.ask("lock.get_lock(0.1, same_process_ok=True)"), "False");
        drop(last);
        assert_eq!(python.ask("lock.get_lock(0.1, same_process_ok=True)"), "True");
        assert!(is_timeout(&enter()));
        assert_eq!(python.ask("lock.unget_lock()"), "True");
    }
    name.assert_in_order(&mut python);
}
