//! One lock for each device, and programs that lock devices in other ways: minicom, picocom, tio, pyserial,
//! flock(1), serialport.

mod attribute;
mod bad_input;
mod identity;
mod joined;
mod kills;
mod respected;
#[path = "../support/mod.rs"]
mod support;
mod terminal;

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("flock", respected::hold_a_flock),
        ("try", try_it),
        ("semaphore", identity::use_a_semaphore),
        ("join", kills::join_again_and_again),
        ("refused", bad_input::be_refused),
    ]);
}

/// Holds a device's lock.
fn hold(path: &str) {
    let _guard = lockattr::Lock::device(path).unwrap().acquire(support::LONG).unwrap();
    support::say("holding");
    support::listen();
}

/// Tries a device's lock once.
fn try_it(path: &str) {
    match lockattr::Lock::device(path).and_then(|lock| lock.try_acquire()) {
        Ok(_) => support::say("acquired"),
        Err(error) => support::say(&error.to_string()),
    }
    support::listen();
}
