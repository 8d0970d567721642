//! Each system call of an acquire, a release and a look fails, one after the other, with each of some errors, or is
//! where the process dies. Looked for: two holders, a wait beyond the deadline, an error that does not say what has
//! failed, a holder that is not seen, a lock that is not free afterwards, a descriptor or a thread that is left.
//!
//! A process is looked at twice: at its first use of the lock, which opens what there is to open, and later on.
//! `LOCKATTR_INJECT=all` tries each error at each call; without it one is tried at each.

#![cfg(target_arch = "x86_64")] // the tracer knows its registers
#![allow(unsafe_code)] // ptrace

#[path = "../support/mod.rs"]
mod support;
mod tracer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Lock, LockError};
use nix::libc;
use support::numbers::Numbers;
use support::{
    eventually, listen, open, say, unique_name, unique_semaphore, unique_tcp, waits, Actor,
};
use tracer::{may_be_traced, stop, Fault, Stop, Target, Traced};

#[test]
fn role() {
    support::play(&[("take", take), ("look", look)]);
}

const FAULTS: [Fault; 6] = [
    Fault::Error(libc::EIO),
    Fault::Error(libc::ENOMEM),
    Fault::Error(libc::EMFILE),
    Fault::Error(libc::EINTR),
    Fault::Error(libc::EAGAIN),
    Fault::Death,
];

/// For how long a process waits for the lock. Longer than anything takes that goes well.
const PATIENCE: Duration = Duration::from_secs(10);

/// How late the end of a wait may be, on a busy machine.
const LATE: Duration = Duration::from_secs(5);

/// The region of the ledger that a holder locks.
const WITNESS: i32 = 0;

/// Takes the lock and gives it back for ever, and stops before and behind each of both.
fn take(argument: &str) {
    let (name, ledger) = argument.split_once(' ').unwrap();
    let (lock, ledger) = (open(name), Numbers::open(ledger.as_ref()));
    be_ready();
    loop {
        stop();
        let start = Instant::now();
        let acquired = lock.acquire(PATIENCE);
        let is_late = start.elapsed() > PATIENCE + LATE;
        stop();
        let is_alone = acquired.is_err() || ledger.lock(WITNESS);
        let outcome = match &acquired {
            _ if is_late => "late".to_owned(),
            Ok(_) if is_alone => "acquired".to_owned(),
            Ok(_) => "acquired beside another".to_owned(),
            Err(error) => error.to_string(),
        };
        say(&outcome);
        say(&possessions());
        ledger.unlock(WITNESS);
        stop();
        drop(acquired);
        stop();
    }
}

/// Looks at a lock that another process holds for ever, and stops before and behind each time.
fn look(argument: &str) {
    let (name, holder) = argument.split_once(' ').unwrap();
    let (lock, holder): (_, u32) = (open(name), holder.parse().unwrap());
    be_ready();
    loop {
        stop();
        let is_locked = lock.is_locked();
        let held_by = lock.holder();
        let acquired = lock.try_acquire();
        stop();
        let mut outcomes = [
            match is_locked {
                Ok(true) => "locked".to_owned(),
                Ok(false) => "said to be free".to_owned(),
                Err(error) => error.to_string(),
            },
            match held_by {
                Ok(Some(by)) if by.pid.map_or(true, |pid| pid == holder) => "locked".to_owned(),
                Ok(other) => format!("said to be held by {other:?}"),
                Err(error) => error.to_string(),
            },
            match acquired {
                Ok(_) => "acquired beside another".to_owned(),
                Err(LockError::Timeout { .. }) => "locked".to_owned(),
                Err(error) => error.to_string(),
            },
        ];
        outcomes.sort_by_key(|outcome| outcome == "locked");
        say(&outcomes[0]);
        say(&possessions());
        stop();
        stop();
    }
}

fn be_ready() {
    may_be_traced();
    say(&tracer::thread().to_string());
    listen();
}

/// How many descriptors and threads this process has, once the threads have ended that close something, if they do.
fn possessions() -> String {
    let tasks = || std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let closes = |task: std::fs::DirEntry| {
        // One that has just ended has no name any more.
        let name = std::fs::read_to_string(task.path().join("comm"));
        name.is_ok_and(|name| name.starts_with("lockattr-close"))
    };
    let start = Instant::now();
    while tasks().any(closes) && start.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    format!("{} {}", count("fd"), count("task"))
}

/// What the test does beside the process that is traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// The process finds the lock free.
    Free,
    /// The process waits until the test lets go of the lock, and the test waits for the process.
    Contended,
    /// The process looks, and the test holds the lock.
    Looked,
}

/// A lock under test, and who uses it.
struct Stage<'a> {
    name: &'a str,
    scene: Scene,
    lock: Lock,
    ledger: Numbers,
    path: String,
    actor: Option<(Traced, Actor)>,
}

/// What came of one try.
#[derive(Debug)]
struct Outcome {
    /// How many system calls there were.
    calls: usize,
    /// The number of the one that the fault has happened to.
    hit: Option<i64>,
    /// What the process has said, none if it has died.
    said: Option<String>,
    possessions: Option<String>,
}

impl<'a> Stage<'a> {
    fn new(name: &'a str, scene: Scene, path: &std::path::Path) -> Self {
        let ledger = Numbers::create(path, 1);
        let path = path.to_str().unwrap().to_owned();
        Self { name, scene, lock: open(name), ledger, path, actor: None }
    }

    /// Starts a process, which stops before its first use of the lock. `None` where none may be traced.
    fn start(&self) -> Option<(Traced, Actor)> {
        let mut actor = match self.scene {
            Scene::Looked => Actor::start("look", &format!("{} {}", self.name, std::process::id())),
            _ => Actor::start("take", &format!("{} {}", self.name, self.path)),
        };
        let thread = actor.hear();
        let traced = Traced::seize(actor.pid(), &thread)?;
        actor.tell("go");
        traced.wait();
        Some((traced, actor))
    }

    /// One use of the lock by a process that has stopped before it, in which `target` fails.
    fn run(&mut self, target: Option<Target>) -> Option<Outcome> {
        if self.actor.is_none() {
            self.actor = Some(self.start()?);
        }
        let (mut traced, mut actor) = self.actor.take().unwrap();
        traced.aim(target);
        let mut outcome = Outcome { calls: 0, hit: None, said: None, possessions: None };
        let mut lives = match self.scene {
            Scene::Free | Scene::Looked => traced.run_by_calls() == Stop::Stopped,
            Scene::Contended => self.run_to_a_hold(&mut traced, actor.pid()),
        };
        lives = lives && traced.run() == Stop::Stopped;
        if lives {
            outcome.said = actor.try_hear();
            outcome.possessions = actor.try_hear();
            let is_held = outcome.said.as_deref() == Some("acquired");
            lives = match self.scene {
                Scene::Free | Scene::Looked => traced.run_by_calls() == Stop::Stopped,
                Scene::Contended => self.run_to_a_release(&mut traced, is_held),
            };
        }
        (outcome.calls, outcome.hit) = (traced.calls, traced.hit);
        if self.scene != Scene::Looked {
            self.check_that_it_is_free(&outcome, target);
        }
        if lives && traced.run() == Stop::Stopped {
            self.actor = Some((traced, actor));
        }
        Some(outcome)
    }

    /// The process waits for the lock, which the test holds until it does; whether the process lives.
    fn run_to_a_hold(&self, traced: &mut Traced, pid: u32) -> bool {
        let guard = self.lock.acquire(PATIENCE).unwrap();
        assert!(self.ledger.lock(WITNESS));
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let start = Instant::now();
                // It may fail before it waits.
                while !waits(self.name, pid)
                    && !is_over.load(Ordering::Relaxed)
                    && start.elapsed() < Duration::from_millis(30)
                {
                    thread::sleep(Duration::from_micros(200));
                }
                self.ledger.unlock(WITNESS);
                drop(guard);
            });
            let stop = traced.run_by_calls();
            is_over.store(true, Ordering::Relaxed);
            stop == Stop::Stopped
        })
    }

    /// The process gives the lock back, for which the test waits; whether the process lives.
    fn run_to_a_release(&self, traced: &mut Traced, is_held: bool) -> bool {
        let is_begun = AtomicBool::new(false);
        thread::scope(|scope| {
            if is_held {
                let waiter = scope.spawn(|| {
                    let guard = self.lock.acquire(PATIENCE).expect("the lock is given back");
                    assert!(is_begun.load(Ordering::Relaxed), "two holders");
                    drop(guard);
                });
                let waits = || waits(self.name, std::process::id());
                eventually("the test waits", || waits() || waiter.is_finished());
            }
            is_begun.store(true, Ordering::Relaxed);
            traced.run_by_calls() == Stop::Stopped
        })
    }

    fn check_that_it_is_free(&self, outcome: &Outcome, target: Option<Target>) {
        let acquired = self.lock.acquire(PATIENCE);
        let guard = acquired.unwrap_or_else(|error| panic!("{target:?}: {outcome:?}: {error}"));
        assert!(self.ledger.lock(WITNESS), "{target:?}: {outcome:?}: two holders");
        self.ledger.unlock(WITNESS);
        drop(guard);
    }
}

/// Whether a fault may end so.
fn is_well(scene: Scene, fault: Fault, outcome: &Outcome) -> bool {
    let good = if scene == Scene::Looked { "locked" } else { "acquired" };
    match (&outcome.said, fault) {
        (Some(said), _) if said == good => true,
        // To the program that is an answer: the queue of a holder is full.
        (Some(said), Fault::Error(libc::EAGAIN)) if outcome.hit == Some(libc::SYS_connect) => {
            said.contains("held by")
        }
        (Some(said), Fault::Error(error)) => said.contains(&format!("(os error {error})")),
        (Some(_), Fault::Death) => false,
        (None, Fault::Death) => true,
        // An allocation that fails ends a Rust program, and glibc ends one whose futex fails so.
        (None, Fault::Error(_)) => outcome.hit.is_some_and(|call| {
            [libc::SYS_brk, libc::SYS_mmap, libc::SYS_mremap, libc::SYS_futex].contains(&call)
        }),
    }
}

/// Faults at one call after the other, and what came of them.
struct Injection<'a> {
    stage: Stage<'a>,
    tries: usize,
    wrong: Vec<String>,
}

impl Injection<'_> {
    /// One use of the lock with a fault; whether there was a call for it. None where no process may be traced.
    fn run(&mut self, when: &str, index: usize, fault: Fault) -> Option<bool> {
        let outcome = self.stage.run(Some(Target { index, fault }))?;
        self.tries += 1;
        if !is_well(self.stage.scene, fault, &outcome) {
            self.wrong.push(format!("{when}, call {index}, {fault:?}: {outcome:?}"));
        }
        Some(index < outcome.calls)
    }

    /// The first use by a process, anew for each fault; how many calls it makes.
    fn first_uses(&mut self) -> Option<usize> {
        for index in 0.. {
            for fault in faults(index) {
                self.stage.actor = None;
                if !self.run("first use", index, fault)? {
                    return Some(index);
                }
            }
        }
        unreachable!("a use has an end")
    }

    /// Later uses, by one process until it is killed; how many calls they make.
    fn later_uses(&mut self) -> Option<usize> {
        self.stage.actor = None;
        let mut before = self.stage.run(None)?;
        for index in 0.. {
            for fault in faults(index) {
                if self.stage.actor.is_none() {
                    before = self.stage.run(None)?;
                }
                if fault == Fault::Death {
                    let after = self.stage.run(None)?;
                    if !is_as_before(&before, &after) {
                        self.wrong.push(format!("call {index}: {before:?}, and then {after:?}"));
                    }
                }
                if !self.run("later use", index, fault)? {
                    return Some(index);
                }
            }
        }
        unreachable!("a use has an end")
    }
}

/// What is tried at the call of this index: everything, or one fault at about half of the calls, which another run
/// chooses differently.
fn faults(index: usize) -> Vec<Fault> {
    if std::env::var("LOCKATTR_INJECT").is_ok_and(|what| what == "all") {
        return FAULTS.to_vec();
    }
    let chosen = 7 * index + usize::try_from(std::process::id()).unwrap();
    FAULTS.get(chosen % (2 * FAULTS.len())).copied().into_iter().collect()
}

/// Whether a process that has lived through faults uses the lock as before, and has no more descriptors and threads
/// than before. (It keeps a few connections: `sys/linux/spent.rs`.)
fn is_as_before(before: &Outcome, after: &Outcome) -> bool {
    const KEPT: usize = 4;

    let counts = |outcome: &Outcome| -> Option<(usize, usize)> {
        let (descriptors, threads) = outcome.possessions.as_ref()?.split_once(' ')?;
        Some((descriptors.parse().ok()?, threads.parse().ok()?))
    };
    let (Some(first), Some(last)) = (counts(before), counts(after)) else { return false };
    before.said == after.said && last.0 <= first.0 + KEPT && last.1 <= first.1
}

fn inject(name: &str, scene: Scene) {
    let ledger = std::env::temp_dir().join(format!("lockattr-inject-{name}"));
    let stage = Stage::new(name, scene, &ledger);
    let mut injection = Injection { stage, tries: 0, wrong: Vec::new() };
    let held = (scene == Scene::Looked).then(|| open(name).acquire(PATIENCE).unwrap());
    let calls = injection.first_uses().zip(injection.later_uses());
    drop(held);
    let _ = std::fs::remove_file(&ledger);
    let Some((first, later)) = calls else {
        println!("skipped: this process may not trace another one (ptrace(2))");
        return;
    };
    let Injection { tries, wrong, .. } = injection;
    println!("{name}, {scene:?}: {first} and {later} calls, {tries} faults, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{name}, {scene:?}:\n{}", wrong.join("\n"));
}

macro_rules! tests {
    ($($test:ident: $name:ident, $scene:ident;)*) => {$(
        #[test]
        fn $test() {
            inject(&$name(stringify!($test)), Scene::$scene);
        }
    )*};
}

tests! {
    a_free_port: unique_name, Free;
    a_contended_port: unique_name, Contended;
    a_port_that_is_looked_at: unique_name, Looked;
    a_free_semaphore: unique_semaphore, Free;
    a_contended_semaphore: unique_semaphore, Contended;
    a_semaphore_that_is_looked_at: unique_semaphore, Looked;
    a_free_tcp_lock: unique_tcp, Free;
    a_contended_tcp_lock: unique_tcp, Contended;
    a_tcp_lock_that_is_looked_at: unique_tcp, Looked;
}
