//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use lockattr_bench_contender::Result;

use crate::programs;

/// Measures lockattr beside every other lock of its kind, in turns, and writes the report.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Under a minute: few rounds, small numbers. The report goes to `target/bench/report`, as its figures are poor.
    #[arg(long)]
    quick: bool,
    /// Measures these parts only, and reports on them. The report goes to `target/bench/report`.
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// The folder of the report.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// What the bench starts itself as.
#[derive(Subcommand)]
pub(crate) enum Role {
    /// A worker of a contender that is built in.
    #[command(hide = true)]
    Work { contender: String, name: String },
    /// A process that holds many locks.
    #[command(hide = true)]
    HoldMany { contender: String, name: String, locks: usize },
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// An acquire and its release, when no other process wants the lock
    Uncontended,
    /// From the release to a sleeping waiter
    Wake,
    /// Many processes, and a visitor beside a greedy one
    Contention,
    /// From the death of a holder to a waiter
    Recovery,
    /// Many locks, waiters, threads
    Growth,
    /// What the attribute costs the compiler
    Compile,
}

/// What is to be measured, and where the report goes.
pub(crate) struct Config {
    pub(crate) quick: bool,
    pub(crate) out: PathBuf,
    parts: Vec<Part>,
}

impl Config {
    pub(crate) fn new(arguments: Arguments) -> Result<Self> {
        let Arguments { quick, only, out, .. } = arguments;
        let whole = only.is_empty() && !quick;
        let out = match out {
            Some(out) => out,
            None if whole => Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks"),
            None => programs::folder()?.join("report"),
        };
        let parts = if only.is_empty() { Part::value_variants().to_vec() } else { only };
        Ok(Self { quick, out, parts })
    }

    /// What was measured, if that part was asked for.
    pub(crate) fn part<T>(&self, part: Part, measure: impl FnOnce() -> T) -> Option<T> {
        self.parts.contains(&part).then(measure)
    }

    /// Whether a part is wanted that measures the peers.
    pub(crate) fn wants_peers(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Growth | Part::Compile))
    }
}
