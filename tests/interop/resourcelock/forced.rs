//! Forced releases, and holders that die.

use std::thread;

use lockattr::Tenure;

use super::super::support::{Actor, LONG};
use super::{behind_time, state, Name};

#[test]
fn the_command_line_tool_shows_a_rust_holder_and_cannot_rob_it_for_rust() {
    let name = Name::new("cli");
    let Some(mut python) = name.python() else { return };
    // The unit too many is met by somebody who tries, or by the holder at its release.
    for somebody_tries in [true, false] {
        let guard = name.lock().with().timeout(LONG).info("sensord::read").acquire().unwrap();
        let text = python.ask("lock.get_lock_info()");
        assert_eq!(behind_time(&text), "sensord::read");
        let locked = state(true, &text);
        assert_eq!(name.cli(&["state"]), format!("<{}> {locked}", name.0));
        let refused = format!("<{}> get_lock called - Returned <False>, {locked}", name.0);
        assert_eq!(name.cli(&["get", "-t", "0.2"]), refused);

        let unlocked = state(false, &text);
        let forced = format!("<{}> unget_lock called - Returned <True>, {unlocked}", name.0);
        assert_eq!(name.cli(&["unget"]), forced);
        assert_eq!(python.ask("lock.lock_value()"), "1");
        assert!(name.lock().is_locked().unwrap(), "its owner lives");
        if somebody_tries {
            let mut other = Actor::start("try", &name.0);
            let refusal = other.hear();
            let by = format!(" by pid {} ", std::process::id());
            assert!(refusal.contains(&by) && refusal.ends_with(" in sensord::read"), "{refusal}");
            other.end();
            assert_eq!(python.ask("lock.lock_value()"), "0");
        }
        drop(guard);
        assert_eq!(python.ask("lock.lock_value()"), "1");
        name.assert_in_order(&mut python);
    }
}

#[test]
fn a_waiter_inherits_from_a_killed_rust_holder_and_python_stays_outside() {
    let name = Name::new("inherit");
    let Some(mut python) = name.python() else { return };
    let mut holder = Actor::start("hold", &name.0);
    holder.expect("holding");
    let dead = holder.pid();
    let guard = thread::scope(|scope| {
        let waiter = scope.spawn(|| name.lock().acquire(LONG).unwrap());
        name.until_somebody_waits();
        holder.kill();
        waiter.join().unwrap()
    });
    assert_eq!(guard.recovered_from().unwrap().pid, Some(dead));
    assert_eq!(python.ask("lock.get_lock(0.1)"), "False");
    drop(guard);
    name.assert_in_order(&mut python);
}

#[test]
fn what_python_took_over_a_dead_rust_holder_is_not_inherited() {
    let name = Name::new("repaired");
    let Some(mut python) = name.python() else { return };
    let mut holder = Actor::start("hold", &name.0);
    holder.expect("holding");
    let dead = holder.pid();
    holder.kill();
    assert_eq!(python.ask("lock.get_lock(0.1)"), "False", "left taken, as far as Python can tell");

    assert!(name.cli(&["unget"]).contains("unget_lock called - Returned <True>"));
    assert_eq!(python.ask("lock.get_lock(0.1, lock_info='tempmon.repair')"), "True");
    name.assert_held_by_text("tempmon.repair");
    assert_eq!(python.ask("lock.unget_lock()"), "True");
    let guard = name.lock().acquire(LONG).unwrap();
    let last = guard.recovered_from().expect("nobody has brought in order what it left");
    assert_eq!((last.pid, last.tenure), (Some(dead), Tenure::Died));
    drop(guard);
    name.assert_in_order(&mut python);
}

#[test]
fn a_killed_python_holder_keeps_the_lock_until_it_is_released_by_force() {
    let name = Name::new("python-dies");
    assert!(!name.lock().force_release().unwrap());
    assert!(
        !name.semaphore_file().exists() && !name.page_file().exists(),
        "nothing is made for that"
    );
    let Some(mut python) = name.python() else { return };
    assert!(!name.lock().force_release().unwrap(), "it is free");

    assert_eq!(python.ask("lock.get_lock(1, lock_info='tempmon.loop #4')"), "True");
    python.kill();
    name.assert_held_by_text("tempmon.loop #4");
    assert!(name.lock().force_release().unwrap());
    assert!(!name.lock().force_release().unwrap(), "it is free");
    let guard = name.lock().try_acquire().unwrap();
    drop(guard);
    name.assert_in_order(&mut name.python().unwrap());
}
