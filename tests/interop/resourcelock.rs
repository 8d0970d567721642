//! `resourcelock` of the package `cjnfuncs`, on the locks of the semaphore backend.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use lockattr::{Backend, Holder, KnownBy, Lock, LockError, Tenure};

use super::python::{self, Script};
use super::support::{eventually, is_timeout, listen, say, unique_name, Actor, LONG};

/// Long enough to look whether somebody has the lock.
const SHORT: Duration = Duration::from_millis(100);

/// The name of a lock of one test's own. Nobody uses it any more when this is dropped: the files go.
struct Name(String);

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
        let mut python =
            Script::start("resourcelock.py", &[&[self.0.as_str()], arguments].concat())?;
        assert_eq!(python.answer(), "ready");
        Some(python)
    }

    /// What `resourcelock NAME ARGUMENTS` prints.
    fn cli(&self, arguments: &[&str]) -> String {
        let mut command = python::command("resourcelock").unwrap();
        let output = command.arg(&self.0).args(arguments).output().unwrap();
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
        // Only there it is known where a semaphore counts those who wait: in the upper half of its
        // first word (`struct new_sem` in glibc's `internaltypes.h`).
        if cfg!(all(target_env = "gnu", target_pointer_width = "64")) {
            eventually("somebody waits", || {
                let bytes = fs::read(self.semaphore_file()).unwrap();
                u64::from_ne_bytes(bytes[..8].try_into().unwrap()) >> 32 > 0
            });
        }
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

impl Drop for Name {
    fn drop(&mut self) {
        for file in [self.semaphore_file(), self.page_file()] {
            let _ = fs::remove_file(file);
        }
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
    let _guard = semaphore(name).acquire_with_info(LONG, "the test's holder").unwrap();
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
    assert_eq!(behind_time(&text), format!("{}:{line}", file!()));
    drop(guard);
    assert_eq!(python.ask("lock.is_locked()"), "False");
    assert_eq!(python.ask("lock.get_lock_info()"), text, "it stays, as history");
    assert_eq!(python.ask("lock.get_lock(0.2)"), "True");
    assert_ne!(python.ask("lock.get_lock_info()"), text);
    assert!(is_timeout(&name.lock().try_acquire()));
}

#[test]
fn the_command_line_tool_shows_a_rust_holder_and_cannot_rob_it_for_rust() {
    let name = Name::new("cli");
    let Some(mut python) = name.python() else { return };
    // The unit too many is met by somebody who tries, or by the holder at its release.
    for somebody_tries in [true, false] {
        let guard = name.lock().acquire_with_info(LONG, "sensord::read").unwrap();
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

#[test]
fn a_segment_of_another_size_keeps_it_and_texts_end_within() {
    const INFO: &str = "a text of more bytes than the sixty-four of a small segment can hold";
    for (size, enlarged, room) in [("64", 4096, 63), ("8192", 8192, 29 + INFO.len())] {
        let name = Name::new("size");
        let Some(mut python) = name.python_with(&[size]) else { return };
        let inodes = name.inodes();
        let guard = name.lock().acquire_with_info(LONG, INFO).unwrap();
        assert_eq!(name.inodes(), inodes);
        assert_eq!(fs::metadata(name.page_file()).unwrap().len(), enlarged);

        // One that has mapped what was there before, and one that comes now.
        for python in [&mut python, &mut name.python().unwrap()] {
            let text = python.ask("lock.get_lock_info()");
            assert_eq!(text.len(), room, "{text}");
            assert!(INFO.starts_with(behind_time(&text)), "{text}");
            assert_eq!(python.ask("lock.get_lock(0.1)"), "False");
        }
        drop(guard);
        assert_eq!(python.ask("lock.get_lock(0.1, lock_info='in a segment')"), "True");
        name.assert_held_by_text("in a segment");
        assert_eq!(python.ask("lock.unget_lock()"), "True");
        name.assert_in_order(&mut python);
    }
}

#[test]
fn a_text_that_covers_the_record_does_no_harm() {
    let name = Name::new("cover");
    let Some(mut python) = name.python() else { return };
    let guard = name.lock().acquire(LONG).unwrap();
    // The segment is there for texts of any kind, whoever holds.
    assert_eq!(python.ask("lock.set_lock_info('x' * 4095)"), "None");
    let mut other = Actor::start("try", &name.0);
    assert_ne!(other.hear(), "acquired");
    other.end();
    assert_eq!(python.ask("lock.get_lock(0.1)"), "False");
    assert!(name.lock().is_locked().unwrap());
    drop(guard);
    name.assert_in_order(&mut python);

    assert_eq!(python.ask("lock.get_lock(1, lock_info='x' * 4000)"), "True");
    assert!(is_timeout(&name.lock().acquire(SHORT)));
    // Its end may be a record by now.
    assert_eq!(python.ask("'x' * 3500 in lock.get_lock_info()"), "True");
    assert_eq!(python.ask("lock.unget_lock()"), "True");
    name.assert_in_order(&mut python);
}

/// A role: takes turns until the time is over, and says how many.
pub(crate) fn hammer(argument: &str) {
    let [name, folder, seconds] = argument.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (lock, folder) = (semaphore(name), PathBuf::from(folder));
    let (inside, count) = (folder.join("inside"), folder.join("count"));
    let time = Duration::from_secs(seconds.parse().unwrap());
    nix::unistd::alarm::set((time + 2 * LONG).as_secs().try_into().unwrap());
    say("ready");
    listen();
    let (start, mut turns) = (Instant::now(), 0);
    while turns == 0 || start.elapsed() < time {
        let guard = lock.acquire(LONG).unwrap();
        // Fails if somebody is inside.
        OpenOptions::new().write(true).create_new(true).open(&inside).unwrap();
        let before: u32 = fs::read_to_string(&count).unwrap().parse().unwrap();
        fs::write(&count, (before + 1).to_string()).unwrap();
        fs::remove_file(&inside).unwrap();
        drop(guard);
        turns += 1;
    }
    say(&turns.to_string());
}

/// `LOCKATTR_HAMMER_SECONDS` sets for how long.
#[test]
fn two_and_two_never_meet() {
    let seconds: u32 = std::env::var("LOCKATTR_HAMMER_SECONDS")
        .map_or(10, |seconds| seconds.parse().expect("a number"));
    let name = Name::new("hammer");
    let (Some(one), Some(other)) = (name.python(), name.python()) else { return };
    let folder = std::env::temp_dir().join(&name.0);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("count"), "0").unwrap();

    let mut pythons = [one, other];
    let argument = format!("{} {} {seconds}", name.0, folder.display());
    let mut actors = [(); 2].map(|()| Actor::start("hammer", &argument));
    for actor in &mut actors {
        actor.expect("ready");
    }
    for python in &mut pythons {
        python.tell(&format!("hammer('{}', {seconds})", folder.display()));
    }
    for actor in &mut actors {
        actor.tell("go");
    }
    let rust = actors.each_mut().map(|actor| actor.hear().parse::<u32>().unwrap());
    let python = pythons.each_mut().map(|python| python.answer().parse::<u32>().unwrap());
    for actor in actors {
        actor.end();
    }

    println!("in {seconds} s: Rust {rust:?} turns, Python {python:?}");
    assert!(rust.iter().chain(&python).all(|turns| *turns > 0), "{rust:?}, {python:?}");
    let turns: u32 = rust.iter().chain(&python).sum();
    assert_eq!(fs::read_to_string(folder.join("count")).unwrap(), turns.to_string());
    name.assert_in_order(&mut pythons[0]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn who_enters_again_gives_back_with_pythons_first_release_and_rusts_last() {
    let name = Name::new("again");
    let Some(mut python) = name.python() else { return };
    let lock = name.lock();
    let enter = || lock.acquire_reentrant(SHORT);
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

#[test]
fn each_uses_what_the_other_has_made() {
    for rust_comes_first in [false, true] {
        let name = Name::new("made");
        if rust_comes_first {
            drop(name.lock().try_acquire().unwrap());
        } else if name.python().is_none() {
            return;
        }
        let inodes = name.inodes();
        let Some(mut python) = name.python() else { return };
        if rust_comes_first {
            let text = python.ask("lock.get_lock_info()");
            assert!(behind_time(&text).starts_with(file!()), "{text}");
        }
        name.assert_in_order(&mut python);
        assert_eq!(name.inodes(), inodes);
        for file in [name.semaphore_file(), name.page_file()] {
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600, "{}", file.display());
        }
    }
}
