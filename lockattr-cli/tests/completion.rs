//! Completion in a real shell: bash on a terminal, with the script sourced.

mod support;

use lockattr_runtime::Backend;
use support::{said, Name, Terminal, PROGRAM};

/// A bash that has sourced the script, and shows `$ ` when it is ready.
fn bash() -> Terminal {
    let mut bash = Terminal::start_program(&["bash", "--norc", "--noprofile", "-i"]);
    bash.press("bind 'set enable-bracketed-paste off'; PS1='ready> '\n");
    bash.until("ready> ");
    let folder = PROGRAM.rsplit_once('/').unwrap().0;
    bash.press(&format!(
        "PATH={folder}:$PATH; source <({PROGRAM} completions bash); echo sour''ced\n"
    ));
    bash.until("sourced");
    bash.until("ready> ");
    bash
}

#[test]
fn a_name_completes_to_the_locks_that_there_are() {
    let name = Name::new("completed");
    let _holder = name.lock(Backend::Port).try_acquire().unwrap();
    let (begin, rest) = name.split_at(name.len() - 4);
    let mut bash = bash();
    for command in ["state", "run", "unget", "get", "wait", "trace"] {
        bash.press(&format!("lockattr {command} {begin}\t"));
        bash.until(&format!("{begin}{rest}"));
        bash.press("\x15\n"); // the line is left
        bash.until("ready> ");
    }
}

#[test]
fn behind_the_double_dash_commands_complete_and_then_files() {
    let name = Name::new("commands");
    let mut bash = bash();
    bash.press(&format!("lockattr run {} -- setpri\t", &*name));
    bash.until("setpriv ");
    bash.press("/etc/hostn\t");
    bash.until("/etc/hostname");
    bash.press("\x15\n");
    bash.until("ready> ");
}

#[test]
fn commands_and_options_complete_and_nothing_hidden_does() {
    let mut bash = bash();
    bash.press("lockattr comple\t");
    bash.until("lockattr completions");
    bash.press("\x15\n");
    bash.until("ready> ");
    bash.press("lockattr run --inh\t");
    bash.until("--inherit");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(!said(&["completions", shell]).contains("__"), "{shell}");
    }
}
