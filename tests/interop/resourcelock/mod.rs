//! `resourcelock` of the package `cjnfuncs`, on the locks of the semaphore backend.

mod files;
mod forced;
mod hammer;
mod holders;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use lockattr::{Backend, Holder, KnownBy, Lock, LockError, Tenure};

use super::python::{self, Script};
use super::support::{self, eventually, is_timeout, listen, say, sleepers, unique_name, LONG};

pub(crate) use hammer::hammer;

/// Long enough to look whether somebody has the lock.
const SHORT: Duration = Duration::from_millis(100);

/// The name of a lock of one test's own.
struct Name(support::Name);

impl Name {
    fn new(what: &str) -> Self {
        Self(unique_name(what))
    }

    fn lock(&self) -> Lock {
        semaphore(&self.0)
    }

    /// A Python process with this lock as its `lock`; none if the tests are to be skipped.
    fn python(&self) -> Option<Script> {
        self.python_with(&[])
    }

    /// As [`python`](Self::python), with more arguments for `resource_lock`.
    fn python_with(&self, arguments: &[&str]) -> Option<Script> {
        let mut python = Script::start("resourcelock.py", &[&[&*self.0], arguments].concat())?;
        assert_eq!(python.answer(), "ready");
        Some(python)
    }

    /// What `resourcelock NAME ARGUMENTS` prints.
    fn cli(&self, arguments: &[&str]) -> String {
        let mut command = python::command("resourcelock").unwrap();
        let output = command.arg(&*self.0).args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn semaphore_file(&self) -> PathBuf {
        PathBuf::from(format!("/dev/shm/sem.{}", self.0))
    }

    fn page_file(&self) -> PathBuf {
        PathBuf::from(format!("/dev/shm/{}", self.0))
    }

    /// Which files these are.
    fn inodes(&self) -> [u64; 2] {
        [self.semaphore_file(), self.page_file()].map(|file| fs::metadata(file).unwrap().ino())
    }

    /// Returns when somebody sleeps until the semaphore has a unit.
    #[track_caller]
    fn until_somebody_waits(&self) {
        eventually("somebody waits", || sleepers(&self.0) > 0);
    }

    /// Rust and Python take the lock in turn, and there is one unit in the end.
    #[track_caller]
    fn assert_in_order(&self, python: &mut Script) {
        for _ in 0..2 {
            let guard = self.lock().try_acquire().unwrap();
            assert_eq!(python.ask("lock.get_lock(0)"), "False");
            drop(guard);
            assert_eq!(python.ask("lock.get_lock(0)"), "True");
            assert!(is_timeout(&self.lock().try_acquire()));
            assert_eq!(python.ask("lock.unget_lock()"), "True");
        }
        assert_eq!(python.ask("lock.lock_value()"), "1");
        assert!(!self.lock().is_locked().unwrap());
    }

    /// Python holds the lock and has left `text`, as Rust sees it.
    #[track_caller]
    fn assert_held_by_text(&self, text: &str) {
        let lock = self.lock();
        for timeout in [SHORT, Duration::ZERO] {
            let error = lock.acquire(timeout).unwrap_err();
            assert!(
                error.to_string().ends_with(&format!(" by a program that leaves no pid: {text}")),
                "{error}"
            );
            let LockError::Timeout { holder: Some(holder), .. } = error else {
                panic!("{error:?}")
            };
            assert_leaves_text(&holder, text);
        }
        assert!(lock.is_locked().unwrap());
        assert_leaves_text(&lock.holder().unwrap().unwrap(), text);
    }
}

#[track_caller]
fn assert_leaves_text(holder: &Holder, text: &str) {
    assert_eq!(holder.info.as_deref(), Some(text));
    assert_eq!((holder.known_by, holder.tenure), (KnownBy::Text, Tenure::Holds));
    assert_eq!(holder.pid, None);
    let age = SystemTime::now().duration_since(holder.since.unwrap()).unwrap();
    assert!(age < LONG, "{age:?}");
}

/// What the command line tool prints about a lock that is taken, or is not, with a text.
fn state(is_locked: bool, text: &str) -> String {
    let is_locked = if is_locked { "True" } else { "False" };
    format!("Currently locked: <{is_locked}>, Lock info: <{text}>")
}

fn semaphore(name: &str) -> Lock {
    Lock::open(Backend::Semaphore, name).unwrap()
}

/// The text behind the time, of which the form is checked: `2024-10-20 16:00:51.864484 - `.
#[track_caller]
fn behind_time(text: &str) -> &str {
    const TIME: &str = "0000-00-00 00:00:00.000000 - ";
    let (time, info) = text.split_at(TIME.len().min(text.len()));
    assert_eq!(time.replace(|c: char| c.is_ascii_digit(), "0"), TIME, "{text}");
    info
}

/// A role: holds the lock until it is killed.
pub(crate) fn hold(name: &str) {
    let _guard = semaphore(name).with().timeout(LONG).info("the test's holder").acquire().unwrap();
    say("holding");
    listen();
}

/// A role: tries to take the lock.
pub(crate) fn try_once(name: &str) {
    match semaphore(name).try_acquire() {
        Ok(_guard) => say("acquired"),
        Err(error) => say(&error.to_string()),
    }
}
