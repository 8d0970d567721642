//! Processes that are killed while they have joined the others.

use std::fs;
use std::time::Duration;

use lockattr::Lock;

use crate::support::{say, Actor, LONG};
use crate::terminal::{has, lock_files, Port, Program};

/// A role: takes the device with its lock file, and gives it back, for ever.
pub(crate) fn join_again_and_again(path: &str) {
    let lock = Lock::device(path).unwrap();
    say("ready");
    loop {
        drop(lock.with().timeout(LONG).join_lock_file().acquire().unwrap());
    }
}

#[test]
fn kills_leave_no_file_that_blocks_anybody() {
    let Some(port) = Port::new("kills") else { return };
    let kills = std::env::var("LOCKATTR_KILLS").ok().and_then(|kills| kills.parse().ok());
    let lock = port.lock();
    let file = &lock_files(&port.node)[0];
    let mut left = 0;
    for kill in 0..kills.unwrap_or(100_u64) {
        let mut actor = Actor::start("join", port.node_as_text());
        actor.expect("ready");
        // At another place each time.
        let place = Duration::from_micros(kill * 7_919 % 3_000);
        std::thread::sleep(place);
        actor.kill();
        left += u32::from(file.exists());
        assert!(lock.others().unwrap().is_empty(), "after {kill} kills");
        drop(lock.acquire(LONG).unwrap());
    }
    println!("{left} files were left");
    drop(lock.with().join_lock_file().acquire().unwrap());
    assert!(!file.exists());
    // One that was renamed to be removed is replaced by the next one.
    let aside = format!("lockattr.stale.{}", file.file_name().unwrap().to_str().unwrap());
    let _ = fs::remove_file(file.with_file_name(aside));
    let own = format!("_{}", port.node.file_name().unwrap().to_str().unwrap());
    let litter = fs::read_dir("/var/lock").unwrap().flatten().filter(|entry| {
        let name = entry.file_name().into_string().unwrap_or_default();
        name.starts_with("lockattr.new") || name.ends_with(&own)
    });
    assert_eq!(litter.count(), 0);
    if has("minicom") {
        let mut actor = Actor::start("join", port.node_as_text());
        actor.expect("ready");
        actor.kill();
        let mut program = Program::start("minicom", &["-D", port.node_as_text()]);
        crate::support::eventually("minicom has the device", || {
            assert!(!program.has_ended());
            !lock.others().unwrap().is_empty()
        });
    }
}
