//! With `join`, other programs are kept out while a function holds, and come in afterwards.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;

use lockattr::{all, Lock, LockError};
use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{fork, ForkResult};

use crate::respected::{has_pyserial, PYTHON};
use crate::support::eventually;
use crate::terminal::{has, lock_files, Port, Program};

fn opened(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(path).unwrap()
}

/// `start` starts a program that is refused the device while its lock is held, and gets it afterwards.
fn is_kept_out(port: &Port, joins_flock: bool, start: impl Fn() -> Program) {
    let own = opened(&port.node);
    let lock = port.lock();
    let acquire = lock.with();
    let acquire = if joins_flock { acquire.join(&own) } else { acquire.join_lock_file() };
    let guard = acquire.acquire().unwrap();
    assert!(!start().wait().success(), "it was let in");
    drop(guard);
    let mut program = start();
    eventually("it has the device", || {
        assert!(!program.has_ended(), "it is still kept out");
        !lock.others().unwrap().is_empty()
    });
}

#[test]
fn picocom_is_kept_out() {
    let Some(port) = Port::new("out-picocom").filter(|_| has("picocom")) else { return };
    is_kept_out(&port, true, || Program::start("picocom", &[port.node_as_text()]));
}

#[test]
fn tio_is_kept_out() {
    let Some(port) = Port::new("out-tio").filter(|_| has("tio")) else { return };
    // It would wait for the device to come back.
    is_kept_out(&port, true, || Program::start("tio", &["--no-autoconnect", port.node_as_text()]));
}

#[test]
fn pyserial_is_kept_out() {
    let Some(port) = Port::new("out-pyserial").filter(|_| has_pyserial()) else { return };
    let script =
        "import serial, sys; s = serial.Serial(sys.argv[1], exclusive=True); sys.stdin.read()";
    is_kept_out(&port, true, || Program::start(PYTHON, &["-c", script, port.node_as_text()]));
}

#[test]
fn flock_is_kept_out() {
    let Some(port) = Port::new("out-flock") else { return };
    let arguments = ["-n", "--no-fork", port.node_as_text(), "sleep", "60"];
    is_kept_out(&port, true, || Program::start("flock", &arguments));
}

#[test]
fn minicom_is_kept_out() {
    let Some(port) = Port::new("out-minicom").filter(|_| has("minicom")) else { return };
    is_kept_out(&port, false, || Program::start("minicom", &["-D", port.node_as_text()]));
}

#[test]
fn a_lock_file_is_as_others_read_it_and_goes_with_the_guard() {
    let Some(port) = Port::new("file") else { return };
    let lock = Lock::device(port.link()).unwrap();
    let guard = lock.with().join_lock_file().acquire().unwrap();
    // By either name.
    for path in [port.node.clone(), port.link()] {
        let file = &lock_files(&path)[0];
        assert_eq!(fs::read_to_string(file).unwrap(), format!("{:10}\n", std::process::id()));
    }
    drop(guard);
    for path in [port.node.clone(), port.link()] {
        assert!(!lock_files(&path)[0].exists());
    }
}

#[test]
fn a_descriptor_may_be_closed_and_has_no_flock_afterwards() {
    let Some(port) = Port::new("closed") else { return };
    let lock = port.lock();
    let (own, copy) = (opened(&port.node), opened(&port.node));
    let other = || Flock::lock(opened(&port.node), FlockArg::LockExclusiveNonblock);
    let guard = lock.with().join(&own).acquire().unwrap();
    assert!(other().is_err());
    drop(own);
    assert!(other().is_err(), "the guard has a copy");
    drop(guard);
    drop(other().unwrap());
    let guard = lock.with().join(&copy).acquire().unwrap();
    guard.abandon();
    drop(other().unwrap());
    assert!(std::panic::catch_unwind(|| {
        let _guard = lock.with().join(&copy).join_lock_file().acquire().unwrap();
        panic!("the body failed");
    })
    .is_err());
    drop(other().unwrap());
    assert!(!lock_files(&port.node)[0].exists());
}

#[test]
fn serialports_own_flock_stays() {
    let Some(port) = Port::new("own-flock") else { return };
    let opened = serialport::new(port.node_as_text(), 9600).open_native().unwrap();
    // SAFETY: it is open for as long as `opened` is.
    #[allow(unsafe_code)]
    let descriptor =
        unsafe { std::os::fd::BorrowedFd::borrow_raw(std::os::fd::AsRawFd::as_raw_fd(&opened)) };
    drop(port.lock().with().join(&descriptor).acquire().unwrap());
    let refused = Command::new("flock").args(["-n", port.node_as_text(), "true"]).status().unwrap();
    assert!(!refused.success(), "it was given back with the lock");
}

#[test]
fn a_reentrant_hold_joins_once() {
    let Some(port) = Port::new("again") else { return };
    let (lock, own) = (port.lock(), opened(&port.node));
    let other = || Flock::lock(opened(&port.node), FlockArg::LockExclusiveNonblock);
    let outer = lock.with().reentrant().join(&own).acquire().unwrap();
    let inner = lock.with().reentrant().join(&own).acquire().unwrap();
    drop(outer);
    assert!(other().is_err(), "the hold goes on");
    drop(inner);
    drop(other().unwrap());
    let outer = lock.with().reentrant().acquire().unwrap();
    let inner = lock.with().reentrant().join(&own).acquire();
    assert!(matches!(&inner, Err(LockError::Io { .. })), "{inner:?}");
    assert!(lock.is_held_by_thread());
    drop(outer);
    assert!(!lock.is_locked().unwrap());
}

#[test]
fn a_descriptor_of_another_device_is_an_error() {
    let (Some(port), Some(other)) = (Port::new("wrong"), Port::new("wrong-other")) else { return };
    let (lock, own) = (port.lock(), opened(&port.node));
    let wrong = opened(&other.node);
    for acquire in [lock.with().join(&wrong), Lock::port("test-device-none").with().join(&own)] {
        let error = acquire.acquire().unwrap_err();
        assert!(matches!(error, LockError::Io { .. }), "{error}");
    }
    assert!(!lock.is_locked().unwrap());
    // Of several it is for the one that it is of.
    let guards = all([&lock, &other.lock()]).join(&wrong).acquire().unwrap();
    let flock = |path| Flock::lock(opened(path), FlockArg::LockExclusiveNonblock);
    assert!(flock(&port.node).is_ok() && flock(&other.node).is_err());
    drop(guards);
}

#[test]
#[allow(unsafe_code)] // a fork
fn a_child_gives_nothing_of_its_parents_back() {
    let Some(port) = Port::new("child") else { return };
    let (lock, own) = (port.lock(), opened(&port.node));
    let guard = lock.with().join(&own).join_lock_file().acquire().unwrap();
    // SAFETY: the child drops a guard and ends.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            drop(guard);
            // SAFETY: ends the process.
            unsafe { libc::_exit(0) };
        }
        ForkResult::Parent { child } => {
            assert!(matches!(waitpid(child, None).unwrap(), WaitStatus::Exited(_, 0)));
        }
    }
    assert!(lock_files(&port.node)[0].exists());
    assert!(Flock::lock(opened(&port.node), FlockArg::LockExclusiveNonblock).is_err());
    drop(guard);
    assert!(!lock_files(&port.node)[0].exists());
}
