//! lockattr measured beside every other lock of its kind, in one run: `cargo run --release -p lockattr-bench`.
//!
//! The bench starts the workers (see the crate `lockattr-bench-contender`), lets them work in turns, and writes
//! tables and plots.

// Counts and nanoseconds become `f64` for ratios: 53 bits of them are enough.
#![allow(clippy::cast_precision_loss)]

mod bench;
mod cli;
mod compile;
mod contenders;
mod contention;
mod field;
mod figures;
mod growth;
mod machine;
mod many;
mod plot;
mod programs;
mod recovery;
mod report;
mod stats;
mod uncontended;
mod wake;
mod worker;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use lockattr::Lock;
use lockattr_bench_contender::Result;
use nix::sys::resource::{getrlimit, setrlimit, Resource};

use crate::bench::Bench;
use crate::cli::{Arguments, Config, Part, Role};
use crate::figures::Figures;
use crate::machine::Machine;
use crate::programs::Programs;

/// Two runs at once would measure each other.
static RUN: Lock = Lock::port("lockattr-bench-run");

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Work { contender, name }) => return contenders::work(&contender, &name),
        Some(Role::HoldMany { contender, name, locks }) => {
            return many::hold(&contender, &name, locks)
        }
        None => {}
    }
    match Config::new(arguments).and_then(|config| run(&config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lockattr-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config) -> Result<()> {
    let _alone = RUN.try_acquire()?;
    allow_many_descriptors()?;
    let programs = if config.wants_peers() { Programs::prepare()? } else { Programs::default() };
    let packages = config.part(Part::Compile, compile::prepare);
    let bench = Bench::new(config.quick, programs)?;

    let machine = Machine::look();
    let start = Instant::now();
    let uncontended = config.part(Part::Uncontended, || uncontended::measure(&bench));
    let wake = config.part(Part::Wake, || wake::measure(&bench));
    let contention = config.part(Part::Contention, || contention::measure(&bench));
    let recovery = config.part(Part::Recovery, || recovery::measure(&bench));
    let growth = config.part(Part::Growth, || growth::measure(&bench));
    let compile = packages.map(|packages| compile::measure(&bench, packages));
    let took = start.elapsed();
    let figures = Figures {
        machine,
        quick: config.quick,
        took,
        uncontended,
        wake,
        contention,
        recovery,
        growth,
        compile,
    };
    report::write(&figures, &config.out)
}

/// Three pipes for each of some hundred workers, and ten thousand locks in one of them.
fn allow_many_descriptors() -> Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}
