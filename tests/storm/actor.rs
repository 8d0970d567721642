//! A process in a storm: it takes the lock for ever, in each way there is to take it, to hold it, and to end.

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::process::exit;
use std::thread;

use futures_lite::future::{block_on, poll_once};
use lockattr::{Cancel, Lock, LockError, LockGuard, Tenure};
use nix::libc;

use crate::children::{self, Children};
use crate::kind::{Kind, Strain};
use crate::log::{now, Entry, Log};
use crate::random::Random;
use crate::support::ledger::spin;
use crate::support::{execute_role, say};

/// As many bytes of text as a record has room for, nearly.
const LONG_TEXT: usize = 3_400;

struct Actor {
    kind: Kind,
    lock: Lock,
    log: Log,
}

/// The role.
pub(crate) fn play(argument: &str) {
    // No longer than the storm: it ends with the one that started it.
    nix::unistd::alarm::cancel();
    // SAFETY: takes a number, and is about this process alone (PR_SET_PDEATHSIG(2const)).
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let kind = Kind::parse(argument);
    let mut random = Random::new(kind.seed);
    let actor = Actor { lock: kind.lock(), log: Log::open(&kind.log()), kind };
    say("ready");
    if random.once_in(2) {
        children::interrupt_every_millisecond();
    }
    let threads = 1 + random.below(2);
    thread::scope(|scope| {
        for _ in 0..threads {
            let mut random = Random::new(random.number());
            let actor = &actor;
            scope.spawn(move || {
                let mut children = Children::default();
                loop {
                    actor.turn(&mut random, &mut children);
                    children.reap();
                }
            });
        }
    });
}

impl Actor {
    fn turn(&self, random: &mut Random, children: &mut Children) {
        let since = now();
        match self.acquire(random) {
            Ok(Some(guard)) => self.hold(guard, since, random, children),
            Ok(None) => {}
            Err(LockError::PortTaken { .. }) => self.log.count(Entry::Accused),
            Err(error) if is_left_taken(&error) => heal(&self.log, &self.lock),
            Err(error) if is_refused(&error) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// None if it was given up.
    fn acquire(&self, random: &mut Random) -> Result<Option<LockGuard>, LockError> {
        let timeout = random.micros(30_000);
        match random.below(12) {
            0 => self.lock.try_acquire(),
            1..=2 => {
                let fill = if random.once_in(2) { LONG_TEXT } else { random.index(20) };
                self.lock.with().timeout(timeout).info(&text(fill)).acquire()
            }
            3 => {
                let cancel = Cancel::new();
                let after = random.micros(10_000);
                thread::scope(|scope| {
                    scope.spawn(|| {
                        thread::sleep(after);
                        cancel.cancel();
                    });
                    self.lock.with().timeout(timeout).cancelled_by(&cancel).acquire()
                })
            }
            way @ 4..=6 => {
                let mut waiting = pin!(self.lock.acquire_async(timeout));
                if let Some(acquired) = block_on(poll_once(waiting.as_mut())) {
                    acquired
                } else {
                    // Not polled for a while, and then again, or dropped.
                    thread::sleep(random.micros(15_000));
                    if way == 4 {
                        return Ok(None);
                    }
                    block_on(waiting)
                }
            }
            _ => self.lock.acquire(timeout),
        }
        .map(Some)
    }

    fn hold(&self, guard: LockGuard, since: u64, random: &mut Random, children: &mut Children) {
        let log = &self.log;
        log.enter(&guard, since);
        spin(random.micros(1_500));
        let guard = match random.below(60) {
            0..=2 => {
                let changed = guard.set_info(&text(random.index(LONG_TEXT)));
                // A record may have been removed, or a program of Python have written over it, where a release by
                // force has let it in.
                assert!(changed.is_ok() || self.kind.strain != Strain::None, "{changed:?}");
                guard
            }
            3 => {
                Children::spawn();
                guard
            }
            4 => {
                if children.fork() {
                    self.be_a_child(guard, random);
                }
                guard
            }
            5 => {
                children.copy();
                guard
            }
            6 if random.once_in(4) => {
                log.leave_for_good();
                exit(0);
            }
            7 if random.once_in(4) => {
                log.leave_for_good();
                children::interrupt_no_more();
                let kind = Kind { seed: random.number(), ..self.kind.clone() };
                panic!("{}", execute_role("actor", &kind.argument()));
            }
            _ => guard,
        };
        spin(random.micros(1_500));
        log.leave();
        self.end(guard, random);
    }

    /// A forked child holds nothing of its parent's, and takes the lock as any other process.
    fn be_a_child(&self, parents: LockGuard, random: &mut Random) -> ! {
        let is_well = catch_unwind(AssertUnwindSafe(|| {
            self.log.in_a_child();
            drop(parents);
            for _ in 0..3 {
                let since = now();
                match self.lock.acquire(random.micros(10_000)) {
                    Ok(guard) => self.log.body(&guard, since, random.micros(1_000)),
                    Err(LockError::PortTaken { .. }) => self.log.count(Entry::Accused),
                    Err(error) if is_refused(&error) || is_left_taken(&error) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
        children::end(is_well.is_ok())
    }

    /// Gives the lock back, in each way there is.
    fn end(&self, guard: LockGuard, random: &mut Random) {
        match random.below(40) {
            0..=1 => guard.abandon(),
            2..=3 => thread::spawn(move || drop(guard)).join().unwrap(),
            4..=5 => {
                let unwinds = AssertUnwindSafe(move || {
                    let _guard = guard;
                    resume_unwind(Box::new(()));
                });
                assert!(catch_unwind(unwinds).is_err());
            }
            6 if random.once_in(4) => {
                std::mem::forget(guard);
                thread::sleep(random.micros(20_000));
                exit(0);
            }
            7 if self.kind.strain == Strain::Forced && self.kind.is_semaphore() => {
                guard.detach().unwrap();
            }
            _ => drop(guard),
        }
    }
}

/// Says whose it is.
pub(crate) fn text(fill: usize) -> String {
    format!("of {} {}", std::process::id(), "x".repeat(fill))
}

/// Whether others had the lock, or the wait was ended.
pub(crate) fn is_refused(error: &LockError) -> bool {
    matches!(error, LockError::Timeout { .. } | LockError::Cancelled { .. })
}

/// Whether only a forced release makes the lock free.
pub(crate) fn is_left_taken(error: &LockError) -> bool {
    match error {
        LockError::Orphaned { .. } => true,
        LockError::Timeout { holder: Some(holder), .. } => holder.tenure == Tenure::Detached,
        _ => false,
    }
}

/// Frees a lock whose holder died in the very moment of taking it, or left it taken. One process does.
pub(crate) fn heal(log: &Log, lock: &Lock) {
    log.heal(|| {
        if lock.try_acquire().is_err_and(|error| is_left_taken(&error)) {
            log.count(Entry::Orphans);
            lock.force_release().unwrap();
        }
    });
}
