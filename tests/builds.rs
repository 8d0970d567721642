//! Programs of two builds on one lock: of another word size, or with another C library.
//!
//! `LOCKATTR_OTHER_BUILD` is the path of this very test, built for another target that runs here: `ci/portability` sets
//! it, both ways round. Without it the other build is this one, and the two have all locks in common.

mod support;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lockattr::{Backend, Lock, LockError, Tenure};
use support::{
    backend, eventually, hold, is_timeout, listen, open, say, unique_name, unique_semaphore,
    HAS_SEMAPHORES,
};
use support::{unique_tcp, wait, waits, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("tell", |_| say(&Build::this().to_string())),
        ("hold", hold),
        ("wait", wait),
        ("try", try_once),
        ("recover", recover),
        ("contend", contend),
    ]);
}

/// What decides which locks a program shares.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Build {
    word_bits: u32,
    /// None where lockattr has no semaphores.
    has_semaphores: bool,
}

impl Build {
    fn this() -> Self {
        Self { word_bits: usize::BITS, has_semaphores: HAS_SEMAPHORES }
    }

    fn other() -> Self {
        let mut actor = other("tell", "");
        let said = actor.hear();
        actor.end();
        let (word_bits, has_semaphores) = said.split_once(' ').unwrap();
        Self {
            word_bits: word_bits.parse().unwrap(),
            has_semaphores: has_semaphores.parse().unwrap(),
        }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word_bits, self.has_semaphores)
    }
}

/// A process of the other build.
fn other(role: &str, argument: &str) -> Actor {
    let this = || std::env::current_exe().unwrap();
    let binary = std::env::var_os("LOCKATTR_OTHER_BUILD").map_or_else(this, PathBuf::from);
    Actor::start_in(&binary, role, argument)
}

/// Runs a test with each kind of lock that the two builds share.
fn on_each_shared_backend(what: &str, test: impl Fn(&str)) {
    test(&unique_name(what));
    test(&unique_tcp(what));
    let (this, other) = (Build::this(), Build::other());
    println!("this build and the other: {this:?}, {other:?}");
    if this == other && this.has_semaphores {
        test(&unique_semaphore(what));
    }
}

/// What a single try says.
fn tried_here(name: &str) -> String {
    let result = Lock::open(backend(name), name).and_then(|lock| lock.try_acquire().map(drop));
    result.map_or_else(|error| error.to_string(), |()| "acquired".to_owned())
}

fn try_once(name: &str) {
    say(&tried_here(name));
}

/// What a single try of the other build says.
fn tried_over_there(name: &str) -> String {
    let mut actor = other("try", name);
    let said = actor.hear();
    actor.end();
    said
}

#[test]
fn each_is_kept_out_by_the_other_and_told_who_holds() {
    on_each_shared_backend("builds", |name| {
        let lock = open(name);
        let guard = lock.with().timeout(LONG).info("this build").acquire().unwrap();
        let said = tried_over_there(name);
        let by = format!("by pid {} (", std::process::id());
        assert!(said.contains(&by) && said.ends_with("in this build"), "{said}");
        drop(guard);
        assert_eq!(tried_over_there(name), "acquired");

        let mut holder = other("hold", name);
        holder.expect("holding");
        let error = lock.try_acquire().unwrap_err();
        let LockError::Timeout { holder: Some(found), .. } = &error else { panic!("{error:?}") };
        assert_eq!(found.pid, Some(holder.pid()));
        assert_eq!(found.info.as_deref(), Some("the test's holder"));
        assert_eq!(found.tenure, Tenure::Holds);
        assert!(found.thread.is_some() && found.since.is_some(), "{found:?}");
        assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
        holder.tell("release");
        holder.expect("released");
        let last = lock.last_holder().unwrap().unwrap();
        assert_eq!((last.pid, last.tenure), (Some(holder.pid()), Tenure::Released), "{last:?}");
        drop(lock.try_acquire().unwrap());
        holder.end();
    });
}

#[test]
fn each_waits_for_the_other() {
    on_each_shared_backend("builds-wait", |name| {
        let guard = open(name).acquire(LONG).unwrap();
        let mut waiter = other("wait", name);
        waiter.expect("waiting");
        eventually("it waits", || waits(name, waiter.pid()));
        drop(guard);
        waiter.expect("acquired");
        let lock = open(name);
        assert!(is_timeout(&lock.acquire(Duration::from_millis(20))));
        let mut here = Actor::start("wait", name);
        here.expect("waiting");
        eventually("it waits", || waits(name, here.pid()));
        waiter.end();
        here.expect("acquired");
        here.end();
    });
}

/// Says of whose death it is told.
fn recover(name: &str) {
    let guard = open(name).acquire(LONG).unwrap();
    say(&format!("{:?}", guard.recovered_from().and_then(|dead| dead.pid)));
}

#[test]
fn each_is_told_of_the_death_of_the_other() {
    on_each_shared_backend("builds-death", |name| {
        let mut holder = other("hold", name);
        holder.expect("holding");
        let pid = holder.pid();
        holder.kill();
        let guard = open(name).acquire(LONG).unwrap();
        assert_eq!(guard.recovered_from().and_then(|dead| dead.pid), Some(pid));
        drop(guard);

        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let pid = holder.pid();
        holder.kill();
        let mut heir = other("recover", name);
        heir.expect(&format!("{:?}", Some(pid)));
        heir.end();
    });
}

/// Takes the lock again and again; one that finds the shared file changed under the lock says so.
fn contend(argument: &str) {
    let (name, path) = argument.split_once(' ').unwrap();
    let lock = open(name);
    say("ready");
    listen();
    for _ in 0..200 {
        let guard = lock.acquire(LONG).unwrap();
        let count: u32 = std::fs::read_to_string(path).unwrap().parse().unwrap();
        std::thread::yield_now();
        std::fs::write(path, (count + 1).to_string()).unwrap();
        drop(guard);
    }
    say("done");
}

#[test]
fn they_never_meet() {
    on_each_shared_backend("builds-contend", |name| {
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "0").unwrap();
        let argument = format!("{name} {}", path.display());
        let start = |number| match number % 2 {
            0 => Actor::start("contend", &argument),
            _ => other("contend", &argument),
        };
        let mut actors: Vec<Actor> = (0..6).map(start).collect();
        for actor in &mut actors {
            actor.expect("ready");
        }
        for actor in &mut actors {
            actor.tell("go");
        }
        for mut actor in actors {
            actor.expect("done");
            actor.end();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1200", "two were in the body at once");
        std::fs::remove_file(path).unwrap();
    });
}

/// A semaphore has the size of the words of its maker, and waiters sleep in it by its C library's rules: so it is had by
/// one kind of program, and an error to the other, whoever comes first and whether it is held or not.
#[test]
fn a_semaphore_of_the_other_build_is_shared_or_an_error_and_never_has_two_holders() {
    let (this, other_build) = (Build::this(), Build::other());
    let refusal = |of: &Build, from: &Build| match (of.has_semaphores, from.has_semaphores) {
        (false, _) => Some("the semaphore backend takes Linux and glibc"),
        (true, true) if of.word_bits != from.word_bits => {
            Some("made by a program of another word size")
        }
        _ => None,
    };
    let check = |said: &str, refusal: Option<&str>| match refusal {
        Some(words) => assert!(said.contains(words), "{said}"),
        None => assert!(said == "acquired" || said.contains(": taken; held for"), "{said}"),
    };
    if this.has_semaphores {
        let name = unique_semaphore("builds-made-here");
        let guard = open(&name).acquire(LONG).unwrap();
        let refused = refusal(&other_build, &this);
        let said = tried_over_there(&name);
        check(&said, refused);
        assert_ne!(said, "acquired", "two holders");
        drop(guard);
        check(&tried_over_there(&name), refused);
    }
    if other_build.has_semaphores {
        let name = unique_semaphore("builds-made-there");
        let mut holder = other("hold", &name);
        holder.expect("holding");
        let refused = refusal(&this, &other_build);
        let said = tried_here(&name);
        check(&said, refused);
        assert_ne!(said, "acquired", "two holders");
        holder.tell("release");
        holder.expect("released");
        holder.end();
        check(&tried_here(&name), refused);
    }
    if !this.has_semaphores {
        check(&tried_here(&unique_semaphore("builds-none")), refusal(&this, &this));
    }
}

/// A name's other files are no lock of the backend that is asked for.
#[test]
fn a_semaphore_of_another_word_size_keeps_no_port_of_its_name_from_being_taken() {
    let name = unique_name("builds-beside");
    std::fs::write(format!("/dev/shm/sem.{name}"), [0; 16]).unwrap();
    std::fs::write(format!("/dev/shm/{name}"), [0; 4096]).unwrap();
    assert_eq!(backend(&name), Backend::Port);
    drop(open(&name).try_acquire().unwrap());
    assert_eq!(tried_over_there(&name), "acquired");
}
