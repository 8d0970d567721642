//! The `lockattr` command: every lock on the machine at a glance, with holder, call site and queue;
//! and locks for shell scripts.

mod cli;
mod commands;
mod duration;
mod exit;
mod keeper;
mod mode;
mod process;
mod report;
mod signals;

mod text;
mod which;

use std::process::ExitCode;

use clap::Parser;

use exit::Stop;

fn main() -> ExitCode {
    let exit = signals::survive_limits()
        .map_err(Stop::from)
        .and_then(|()| commands::run(cli::Cli::parse()))
        .unwrap_or_else(Stop::report);
    exit.into()
}
