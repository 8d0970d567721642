//! `lockattr completions` and `lockattr man`.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;
use crate::complete::{self, Shell};
use crate::exit::{Exit, Stop};
use crate::report;
use crate::text::Escaped;

const NAME: &str = "lockattr";

pub(super) fn completions(shell: Shell) -> Result<Exit, Stop> {
    report::print(&String::from_utf8_lossy(&complete::script(shell)?))?;
    Ok(Exit::Done)
}

pub(super) fn man(command: Option<&str>) -> Result<Exit, Stop> {
    let program = program();
    let page = match command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(found) => named(found),
            None => return Err(Stop::usage(format!("there is no command `{}`", Escaped(name)))),
        },
    };
    report::print(&String::from_utf8_lossy(&render(page)?))?;
    Ok(Exit::Done)
}

/// Writes `lockattr.1`, `lockattr-run.1` and so on.
pub(super) fn all_pages(folder: &Path) -> Result<Exit, Stop> {
    let program = program();
    let commands = program.get_subcommands().filter(|it| it.get_name() != "help").map(named);
    for page in commands.chain([program.clone()]) {
        let name = page.get_display_name().unwrap_or(NAME).to_owned();
        let path = folder.join(format!("{name}.1"));
        let written = render(page).and_then(|text| fs::write(&path, text));
        written.map_err(|error| {
            let path = Escaped(&path.to_string_lossy()).to_string();
            Stop::failed(format!("cannot write {path}: {error}"))
        })?;
    }
    Ok(Exit::Done)
}

fn program() -> Command {
    let mut program = Cli::command();
    // So that the options for all commands are in each page, and each page has its name.
    program.build();
    program
}

fn named(command: &Command) -> Command {
    command.clone().display_name(format!("{NAME}-{}", command.get_name()))
}

fn render(page: Command) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let source = concat!("lockattr ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(page).source(source).render(&mut text)?;
    Ok(text)
}
