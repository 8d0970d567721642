//! While another program has the device, a function waits, and its timeout names the program.

use std::fs::File;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Cancel, KnownBy, Lock, LockError};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::support::{self, eventually, Actor, LONG};
use crate::terminal::{has, Port, Program};

const SHORT: Duration = Duration::from_millis(50);

/// `program` has the device that it is given: a function waits for it, is told of it, and comes in when it ends.
fn is_respected(port: &Port, known_by: KnownBy, mut program: Program, command: &str) {
    let lock = port.lock();
    eventually("the program has the device", || {
        assert!(!program.has_ended());
        !lock.others().unwrap().is_empty()
    });
    let start = Instant::now();
    let error = lock.acquire(SHORT).unwrap_err();
    assert!(start.elapsed() >= SHORT);
    let LockError::Timeout { holder: Some(holder), waited, .. } = &error else { panic!("{error}") };
    assert_eq!((holder.pid, holder.known_by), (Some(program.pid()), known_by), "{error}");
    assert_eq!(holder.command.as_deref(), Some(command));
    assert!(*waited >= SHORT && error.to_string().contains(&format!("({command}), which has")));
    assert!(!lock.is_locked().unwrap(), "the own lock is given back");
    assert!(matches!(lock.try_acquire(), Err(LockError::Timeout { .. })));

    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(LONG).map(drop));
        // It has the lock, and waits for the program.
        eventually("it waits", || port.lock().is_locked().unwrap());
        assert!(!waiter.is_finished());
        drop(program);
        waiter.join().unwrap().unwrap();
    });
}

#[test]
fn picocom_is_respected() {
    let Some(port) = Port::new("picocom").filter(|_| has("picocom")) else { return };
    let program = Program::start("picocom", &[port.link().to_str().unwrap()]);
    is_respected(&port, KnownBy::Flock, program, "picocom");
}

#[test]
fn tio_is_respected() {
    let Some(port) = Port::new("tio").filter(|_| has("tio")) else { return };
    let program = Program::start("tio", &[port.node_as_text()]);
    is_respected(&port, KnownBy::Flock, program, "tio");
}

#[test]
fn minicom_is_respected() {
    let Some(port) = Port::new("minicom").filter(|_| has("minicom")) else { return };
    let program = Program::start("minicom", &["-D", port.node_as_text()]);
    is_respected(&port, KnownBy::LockFile, program, "minicom");
}

#[test]
fn minicom_on_a_link_is_respected_by_those_that_use_the_link() {
    let Some(port) = Port::new("minicom-link").filter(|_| has("minicom")) else { return };
    let link = port.link();
    let program = Program::start("minicom", &["-D", link.to_str().unwrap()]);
    let lock = Lock::device(&link).unwrap();
    eventually("minicom has the device", || !lock.others().unwrap().is_empty());
    let error = lock.acquire(SHORT).unwrap_err();
    assert_eq!(error.holder().and_then(|holder| holder.pid), Some(program.pid()), "{error}");
}

#[test]
fn pyserial_is_respected() {
    let Some(port) = Port::new("pyserial").filter(|_| has_pyserial()) else { return };
    let script =
        "import serial, sys; s = serial.Serial(sys.argv[1], exclusive=True); sys.stdin.read()";
    let program = Program::start(PYTHON, &["-c", script, port.node_as_text()]);
    let command = std::fs::canonicalize(PYTHON).unwrap();
    let command = command.file_name().unwrap().to_str().unwrap().to_owned();
    is_respected(&port, KnownBy::Flock, program, &command.replace("3.11", "3"));
}

/// Debian's, for which python3-serial is.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

pub(crate) fn has_pyserial() -> bool {
    let has = Command::new(PYTHON).args(["-c", "import serial"]).status();
    let has = has.is_ok_and(|status| status.success());
    if !has {
        println!("skipped: python3-serial is not installed");
    }
    has
}

#[test]
fn flock_is_respected() {
    let Some(port) = Port::new("flock") else { return };
    let program = Program::start("flock", &["--no-fork", port.node_as_text(), "sleep", "60"]);
    is_respected(&port, KnownBy::Flock, program, "sleep");
}

#[test]
fn a_shared_flock_is_held_too_and_this_process_s_own_is_not() {
    let Some(port) = Port::new("shared") else { return };
    let lock = port.lock();
    let opened = || File::open(&port.node).unwrap();
    let own = Flock::lock(opened(), FlockArg::LockExclusiveNonblock).unwrap();
    drop(lock.try_acquire().unwrap());
    drop(own);
    let program = Program::start("flock", &["-s", "--no-fork", port.node_as_text(), "sleep", "60"]);
    eventually("flock has it", || !lock.others().unwrap().is_empty());
    assert!(support::is_timeout(&lock.try_acquire()));
    drop(program);
}

#[test]
fn a_program_that_flock_has_started_does_not_wait_for_it() {
    let Some(port) = Port::new("under-flock") else { return };
    let path = port.node_as_text();
    let mut actor = Actor::start_under(&["flock", path], "try", path);
    actor.expect("acquired");
    actor.end();
    let mut actor = Actor::start_under(&["flock", "-o", path], "try", path);
    let refusal = actor.hear();
    assert!(refusal.contains("(flock), which has a flock on /dev/pts/"), "{refusal}");
    actor.end();
}

#[test]
fn serialport_in_the_body_opens_as_it_does_by_default() {
    let Some(port) = Port::new("serialport") else { return };
    let open = || serialport::new(port.node_as_text(), 9600).open_native();
    let guard = port.lock().acquire(LONG).unwrap();
    let opened = open().unwrap();
    assert!(open().is_err(), "it is exclusive");
    drop(guard);
    // Kept open, as a driver does: its own flock is nobody else's.
    drop(port.lock().try_acquire().unwrap());
    // And to another process it is held.
    let mut other = Actor::start("try", port.node_as_text());
    let refusal = other.hear();
    assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
    other.end();
    drop(opened);
}

#[test]
fn a_stopped_wait_ends_and_gives_the_lock_back() {
    let Some(port) = Port::new("cancel") else { return };
    let lock = port.lock();
    let program = Program::start("flock", &["--no-fork", port.node_as_text(), "sleep", "60"]);
    eventually("flock has it", || !lock.others().unwrap().is_empty());
    let cancel = Cancel::new();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.with().timeout(LONG).cancelled_by(&cancel).acquire());
        eventually("it waits", || port.lock().is_locked().unwrap());
        cancel.cancel();
        let error = waiter.join().unwrap().unwrap_err();
        assert!(matches!(error, LockError::Cancelled { .. }), "{error}");
    });
    assert!(!lock.is_locked().unwrap());
    drop(program);
}

#[cfg(feature = "async")]
#[tokio::test]
async fn a_task_waits_without_blocking_and_a_dropped_one_gives_the_lock_back() {
    let Some(port) = Port::new("task") else { return };
    let lock = port.lock();
    let program = Program::start("flock", &["--no-fork", port.node_as_text(), "sleep", "60"]);
    eventually("flock has it", || !lock.others().unwrap().is_empty());
    let error = lock.acquire_async(SHORT).await.unwrap_err();
    assert_eq!(error.holder().and_then(|holder| holder.pid), Some(program.pid()), "{error}");
    // The timer of the same thread runs beside the wait.
    let waited = tokio::time::timeout(SHORT, lock.acquire_async(LONG)).await;
    assert!(waited.is_err(), "it waits still");
    assert!(!lock.is_locked().unwrap(), "and gave the lock back when it was dropped");
    drop(program);
    drop(lock.acquire_async(LONG).await.unwrap());
}

#[test]
fn a_device_is_never_opened() {
    let Some(port) = Port::new("unopened") else { return };
    let opens = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    opens.add_watch(&port.node, AddWatchFlags::IN_OPEN).unwrap();
    let lock = port.lock();
    drop(lock.acquire(LONG).unwrap());
    let held = File::open(&port.node).unwrap();
    assert_eq!(opens.read_events().unwrap().len(), 1, "opens are seen");
    let mut other = Actor::start("flock", port.node_as_text());
    other.expect("holding");
    opens.read_events().unwrap();
    assert!(support::is_timeout(&lock.acquire(SHORT)));
    drop(lock.others().unwrap());
    other.end();
    drop(lock.with().join(&held).join_lock_file().acquire().unwrap());
    assert_eq!(opens.read_events().map(|events| events.len()), Err(nix::Error::EAGAIN));
}

/// A role: has a flock on the device.
pub(crate) fn hold_a_flock(path: &str) {
    let _flock = Flock::lock(File::open(path).unwrap(), FlockArg::LockExclusive).unwrap();
    support::say("holding");
    support::listen();
}
