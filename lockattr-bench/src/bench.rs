//! What all parts of the bench share: its workers' programs, its folder, and how thorough it is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use indicatif::{ProgressBar, ProgressStyle};
use lockattr_bench_contender::Result;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::field::{Entry, Kind, PIPE_ID};
use crate::programs::Programs;
use crate::worker::Worker;

/// An entry, and what was measured of it or why nothing was.
pub(crate) type Row<T> = (&'static Entry, std::result::Result<T, String>);

pub(crate) struct Bench {
    pub(crate) quick: bool,
    programs: Programs,
    folder: PathBuf,
    /// Kept open, or their bytes would be lost with the last worker.
    pipes: RefCell<HashMap<String, File>>,
}

/// All locks' names begin so, also those in `contenders/annotated.rs`.
const PREFIX: &str = "lockattr-bench-";

impl Bench {
    pub(crate) fn new(quick: bool, programs: Programs) -> Result<Self> {
        let folder = env::temp_dir().join(format!("{PREFIX}{}", process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { quick, programs, folder, pipes: RefCell::default() })
    }

    /// One of two, by how thorough the bench is to be.
    pub(crate) fn choose<T>(&self, quick: T, full: T) -> T {
        if self.quick {
            quick
        } else {
            full
        }
    }

    /// A name for a lock of that entry, for one purpose.
    pub(crate) fn lock_name(entry: &Entry, purpose: &str) -> String {
        format!("{PREFIX}{}-{}-{purpose}", process::id(), entry.id)
    }

    /// Starts a worker for the lock `name`.
    pub(crate) fn start(&self, entry: &Entry, name: &str) -> Result<Worker> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)?;
        if entry.id == PIPE_ID {
            self.make_pipe(&folder, name)?;
        }
        let mut command = match entry.kind {
            Kind::Lockattr | Kind::Floor => self.own("work")?,
            Kind::Rust | Kind::Python(_) => self.programs.command(entry)?,
        };
        if entry.kind != Kind::Rust {
            command.arg(entry.id);
        }
        Worker::start(command.arg(name).env("TMPDIR", folder))
    }

    /// Starts one worker and waits until it is ready.
    pub(crate) fn worker(&self, entry: &Entry, name: &str) -> Result<Worker> {
        self.start(entry, name)?.ready()
    }

    /// Starts several workers at once.
    pub(crate) fn workers(&self, entry: &Entry, name: &str, count: usize) -> Result<Vec<Worker>> {
        let started: Result<Vec<Worker>> = (0..count).map(|_| self.start(entry, name)).collect();
        started?.into_iter().map(Worker::ready).collect()
    }

    /// The bench itself in another role.
    pub(crate) fn own(&self, role: &str) -> Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(role).env("TMPDIR", &self.folder);
        Ok(command)
    }

    fn make_pipe(&self, folder: &Path, name: &str) -> Result<()> {
        let mut pipes = self.pipes.borrow_mut();
        if !pipes.contains_key(name) {
            let path = folder.join(name);
            mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?;
            let mut pipe = File::options().read(true).write(true).open(path)?;
            pipe.write_all(&[0])?;
            pipes.insert(name.to_owned(), pipe);
        }
        Ok(())
    }

    /// A bar for a part of the bench that has so many steps.
    pub(crate) fn progress(part: &'static str, steps: usize) -> ProgressBar {
        let style =
            ProgressStyle::with_template("{prefix:>12} {bar:30} {pos}/{len} {elapsed} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(steps as u64).with_style(style).with_prefix(part);
        bar.tick();
        bar
    }

    /// Removes what the locks of this and of other ended runs have left in `/dev/shm`.
    pub(crate) fn clean_up() {
        for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().contains(PREFIX) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        Self::clean_up();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
