//! The `lockattr` command: every lock on the machine at a glance, with holder, call site and queue;
//! and locks for shell scripts.

mod ancestors;
mod cli;
mod commands;
mod complete;
mod duration;
mod exit;
mod keeper;
mod mode;
mod patterns;
mod process;
mod report;
mod signals;
mod text;
mod tip;
mod waiting;
mod which;

use std::env;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use clap_complete::CompleteEnv;

use cli::Cli;
use exit::{Exit, Stop};

fn main() -> ExitCode {
    // What this program starts itself again for is no command: it has no page and no completion.
    let mut arguments = env::args_os().skip(1);
    let exit = match arguments.next() {
        Some(first) if first == keeper::COMMAND => keeper::keep(),
        Some(first) if first == commands::EXECUTE => commands::execute(arguments),
        _ => run(),
    };
    exit.into()
}

fn run() -> Exit {
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = Cli::try_parse().unwrap_or_else(|error| tip::exit(&error));
    signals::survive_limits()
        .map_err(Stop::from)
        .and_then(|()| commands::run(cli))
        .unwrap_or_else(Stop::report)
}
