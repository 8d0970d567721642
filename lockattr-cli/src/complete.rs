//! What the shell completes.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use clap::ValueEnum;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::Shells;
use lockattr_survey::{survey, Scope};

/// A shell that there is a script for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// The script for `shell`, which asks this program each time.
pub(crate) fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let name = shell.to_possible_value().map(|value| value.get_name().to_owned());
    let shells = Shells::builtins();
    let completer = name.as_deref().and_then(|name| shells.completer(name));
    let completer = completer.ok_or(io::ErrorKind::Unsupported)?;
    let program = env::args().next().unwrap_or_else(|| "lockattr".to_owned());
    let mut script = Vec::new();
    completer.write_registration("COMPLETE", "lockattr", "lockattr", &program, &mut script)?;
    Ok(script)
}

/// The names of the locks that there are. Those that a shell cannot show as one word are left out.
pub(crate) fn locks() -> Vec<CompletionCandidate> {
    let found = survey(Scope::Remembered, None).unwrap_or_default();
    let names: BTreeSet<_> = found.into_iter().map(|lock| lock.name).collect();
    let names = names.into_iter().filter(|name| !name.contains(char::is_control));
    names.map(CompletionCandidate::new).collect()
}

/// What `run` takes: locks, and behind `--` a command with its arguments, of which nothing is known: files.
pub(crate) fn locks_and_command(current: &OsStr) -> Vec<CompletionCandidate> {
    let begin = current.to_string_lossy();
    match words_of_the_command() {
        None => {
            let mut locks = locks();
            locks.retain(|lock| lock.get_value().to_string_lossy().starts_with(&*begin));
            locks
        }
        Some(0) if !begin.contains('/') => {
            let path = env::var_os("PATH").unwrap_or_default();
            let programs: BTreeSet<OsString> =
                env::split_paths(&path).flat_map(|folder| programs(&folder, &begin)).collect();
            programs.into_iter().map(CompletionCandidate::new).collect()
        }
        Some(_) => PathCompleter::any().complete(current),
    }
}

/// How many words stand between the command line's `--` and the word that is completed; none if there is no
/// `--` before it. (clap's engine knows of no argument that is for behind the `--` alone.)
fn words_of_the_command() -> Option<usize> {
    // The first one is before the command line: `lockattr -- lockattr run NAME -- COMMAND`.
    let words: Vec<_> = env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let index: usize = index.unwrap_or(words.len().saturating_sub(1));
    let dashes = words.iter().position(|word| word == "--")?;
    index.checked_sub(dashes + 1)
}

fn programs(folder: &std::path::Path, begin: &str) -> Vec<OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let entries = entries.filter(|it| it.file_name().to_string_lossy().starts_with(begin));
    let is_executable = |entry: &fs::DirEntry| {
        // Of what a link leads to.
        fs::metadata(entry.path())
            .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    entries.filter(is_executable).map(|entry| entry.file_name()).collect()
}
