//! The programs of the peers: built, or installed, when the bench runs.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use indicatif::ProgressBar;
use lockattr_bench_contender::Result;

use crate::bench::Bench;
use crate::field::{Entry, Kind, FIELD};

/// How each peer's program is started, or why it is not there.
#[derive(Default)]
pub(crate) struct Programs {
    peers: HashMap<&'static str, std::result::Result<PathBuf, String>>,
}

impl Programs {
    /// Builds or installs what is not there yet, in a folder of its own under `target`.
    pub(crate) fn prepare() -> Result<Self> {
        let peers: Vec<&Entry> =
            FIELD.iter().filter(|it| matches!(it.kind, Kind::Rust | Kind::Python(_))).collect();
        let progress = Bench::progress("peers", peers.len());
        let folder = folder()?;
        let mut programs = Self::default();
        for entry in peers {
            progress.set_message(entry.label);
            let program = match entry.kind {
                Kind::Python(requirement) => install(&folder, entry.id, requirement),
                _ => build(&folder, entry.id),
            };
            if let Err(why) = &program {
                complain(&progress, entry, why);
            }
            programs.peers.insert(entry.id, program);
            progress.inc(1);
        }
        progress.finish_with_message("");
        Ok(programs)
    }

    /// The peer's program. A contender of Rust takes the lock's name alone, `peers.py` the peer's before.
    pub(crate) fn command(&self, entry: &Entry) -> Result<Command> {
        let program = self.peers.get(entry.id).ok_or("it was not built")?.as_ref();
        let mut command = Command::new(program.map_err(String::as_str)?);
        if let Kind::Python(_) = entry.kind {
            command.arg(source().join("peers.py"));
        }
        Ok(command)
    }
}

/// `target/bench` of the build that runs.
pub(crate) fn folder() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("a program is in a folder of cargo's")?;
    Ok(target.join("bench"))
}

/// `cargo` of the toolchain that has built the bench, if cargo runs it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What `cargo run` says of the bench is not meant for other packages.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs a command to its end; what it said if it failed.
pub(crate) fn run(command: &mut Command) -> std::result::Result<(), String> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let program = program.to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // `venv` says on its standard output what went wrong.
    let said = [output.stderr, output.stdout].map(|it| String::from_utf8_lossy(&it).into_owned());
    let mut lines = said.iter().flat_map(|said| said.lines()).map(str::trim);
    let why = lines.find(|line| line.to_lowercase().contains("error"));
    Err(format!("{program} failed: {}", why.unwrap_or("it did not say why")))
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

fn build(folder: &Path, peer: &str) -> std::result::Result<PathBuf, String> {
    let target = folder.join("peers");
    let mut build = cargo();
    build
        .args(["build", "--release", "--locked", "--features", peer, "--bin", peer])
        .arg("--manifest-path")
        .arg(source().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    run(&mut build)?;
    Ok(target.join("release").join(peer))
}

/// An environment for each, so that one that cannot be installed is only missing.
fn install(folder: &Path, peer: &str, requirement: &str) -> std::result::Result<PathBuf, String> {
    let environment = folder.join("python").join(peer);
    let python = environment.join("bin/python");
    let installed = environment.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|it| it == requirement) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet"])
        .args(requirement.split_whitespace()))?;
    fs::write(installed, requirement).map_err(|error| error.to_string())?;
    Ok(python)
}

fn complain(progress: &ProgressBar, entry: &Entry, why: &str) {
    progress.suspend(|| eprintln!("{} is left out: {why}", entry.label));
}
