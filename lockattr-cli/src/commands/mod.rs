//! The commands, one a file.

mod clean;
mod docs;
mod get;
mod list;
mod run;
mod state;
mod trace;
mod unget;
mod wait;
mod watch;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Stop};

pub(crate) use run::{execute, EXECUTE};

pub(crate) fn run(cli: Cli) -> Result<Exit, Stop> {
    let backend = cli.backend.map(Into::into);
    match cli.command {
        Command::List(list) => list::list(&list, backend),
        Command::State(state) => state::state(&state, backend),
        Command::Get(get) => get::get(&get, backend),
        Command::Unget(unget) => unget::unget(&unget, backend),
        Command::Run(run) => run::run(&run, backend),
        Command::Trace(trace) => trace::trace(&trace, backend),
        Command::Wait(wait) => wait::wait(&wait, backend),
        Command::Clean(clean) => clean::clean(&clean, backend),
        Command::Watch(watch) => watch::watch(&watch, backend),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man { dir: Some(dir), .. } => docs::all_pages(&dir),
        Command::Man { command, .. } => docs::man(command.as_deref()),
    }
}
