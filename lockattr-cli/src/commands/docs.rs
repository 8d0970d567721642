//! `lockattr completions` and `lockattr man`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Stop};
use crate::report;
use crate::text::Escaped;

const NAME: &str = "lockattr";

pub(super) fn completions(shell: Shell) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    report::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(super) fn man(command: Option<&str>) -> Result<Exit, Stop> {
    let mut program = Cli::command();
    // So that the options for all commands are in each page, and each page has its name.
    program.build();
    let page = match command {
        None => program,
        Some(name) => match program.find_subcommand(name).filter(|found| !found.is_hide_set()) {
            Some(found) => found.clone().display_name(format!("{NAME}-{name}")),
            None => return Err(Stop::usage(format!("there is no command `{}`", Escaped(name)))),
        },
    };
    let mut text = Vec::new();
    let source = concat!("lockattr ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(page).source(source).render(&mut text)?;
    report::print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}
