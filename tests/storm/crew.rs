//! The processes of a storm, and what comes down on them.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::signal::Signal;

use crate::kind::{Kind, Strain};
use crate::python;
use crate::random::Random;
use crate::support::{self, Actor};

const PROCESSES: usize = 5;

/// So many of the dead are remembered: pids come again.
const REMEMBERED: usize = 32;

pub(crate) struct Crew {
    kind: Kind,
    random: Random,
    actors: Vec<Actor>,
    stopped: Option<usize>,
    neighbours: Vec<Neighbour>,
    dead: VecDeque<u32>,
    kills: u64,
    stops: u64,
}

impl Crew {
    pub(crate) fn start(kind: &Kind, random: &mut Random) -> Self {
        let mut crew = Self {
            kind: kind.clone(),
            random: Random::new(random.number()),
            actors: Vec::new(),
            stopped: None,
            neighbours: Vec::new(),
            dead: VecDeque::new(),
            kills: 0,
            stops: 0,
        };
        if kind.strain == Strain::Python {
            crew.neighbours.extend((0..2).filter_map(|_| Neighbour::start(kind)));
        }
        for _ in 0..PROCESSES {
            let actor = crew.another();
            crew.actors.push(actor);
        }
        crew
    }

    fn another(&mut self) -> Actor {
        let kind = Kind { seed: self.random.number(), ..self.kind.clone() };
        let mut actor = Actor::start("actor", &kind.argument());
        actor.expect("ready");
        actor
    }

    /// Kills, stops, or lets one go on.
    pub(crate) fn strike(&mut self, random: &mut Random) {
        self.replace_ended();
        let victim = random.index(PROCESSES);
        match random.below(4) {
            0 => {
                let another = self.another();
                let dead = std::mem::replace(&mut self.actors[victim], another);
                self.bury(victim, dead.pid());
                dead.kill();
                self.kills += 1;
            }
            1 if self.stopped.is_none() => {
                self.actors[victim].signal(Signal::SIGSTOP);
                self.stopped = Some(victim);
                self.stops += 1;
            }
            _ => self.resume(),
        }
    }

    fn bury(&mut self, victim: usize, pid: u32) {
        self.stopped = self.stopped.filter(|stopped| *stopped != victim);
        self.dead.push_back(pid);
        if self.dead.len() > REMEMBERED {
            self.dead.pop_front();
        }
    }

    /// Some end by themselves.
    pub(crate) fn replace_ended(&mut self) {
        for victim in 0..PROCESSES {
            if let Some(status) = self.actors[victim].status() {
                assert!(status.success(), "an actor ended with {status}");
                let another = self.another();
                let dead = std::mem::replace(&mut self.actors[victim], another);
                self.bury(victim, dead.pid());
            }
        }
    }

    pub(crate) fn resume(&mut self) {
        if let Some(victim) = self.stopped.take() {
            self.actors[victim].signal(Signal::SIGCONT);
        }
    }

    pub(crate) fn is_stopped(&self, pid: u32) -> bool {
        self.stopped.is_some_and(|stopped| self.actors[stopped].pid() == pid)
    }

    /// Whether no process of the storm has this pid, or the one that had it has ended before now.
    pub(crate) fn is_none(&self, pid: u32) -> bool {
        if self.actors.iter().any(|actor| actor.pid() == pid) {
            return false;
        }
        match fs::read(format!("/proc/{pid}/environ")) {
            // While a program is executed, it may be empty.
            Ok(environment) => !environment.is_empty() && !names(&environment, &self.kind.name),
            // It has ended: before now, or just now.
            Err(_) => self.dead.contains(&pid),
        }
    }

    /// What each of them is doing.
    pub(crate) fn describe(&self) -> String {
        let describe = |pid: u32| {
            let read =
                |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let status = read("status");
            let state = status
                .lines()
                .find(|line| line.starts_with("State"))
                .unwrap_or_default()
                .to_owned();
            format!("{pid}: {state}, in {} {}\n", read("wchan"), read("syscall").trim_end())
        };
        others_of(&self.kind.name).into_iter().map(describe).collect()
    }

    /// How many kills and stops there were.
    pub(crate) fn end(self) -> (u64, u64) {
        (self.kills, self.stops)
    }
}

/// A program of Python's, as `tests/python/storm.py` says. It is killed when this is dropped.
struct Neighbour(Child);

impl Neighbour {
    /// None if the tests are to be run without Python.
    fn start(kind: &Kind) -> Option<Self> {
        let predecessor = match support::backend(&kind.name) {
            lockattr::Backend::Semaphore => "resourcelock",
            lockattr::Backend::Tcp => "tcp",
            _ => "portlock",
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/storm.py");
        let mut command = python::command("python")?;
        command.arg(script).args([predecessor, &kind.name]).arg(kind.log());
        // By it a process of the storm is known.
        command.env("LOCKATTR_TEST_ARGUMENT", &kind.name).stdin(Stdio::null());
        Some(Self(command.spawn().unwrap()))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn names(environment: &[u8], name: &str) -> bool {
    environment.windows(name.len()).any(|window| window == name.as_bytes())
}

/// All processes of the storm over `name`: they have it in their environment.
pub(crate) fn others_of(name: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_one = |pid: &u32| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| names(&environment, name))
    };
    pids.filter(is_one).collect()
}
