//! What a debugger shows of an annotated function. Skipped where gdb is not installed.

#![allow(unsafe_code)] // atexit

#[path = "support/leftovers.rs"]
mod leftovers;

use std::io;
use std::process::Command;

use lockattr::interprocess_lock;

const DEBUGGED: &str = "LOCKATTR_TEST_IS_DEBUGGED";

/// Where gdb stops.
#[inline(never)]
fn stops_here(value: u32) -> u32 {
    std::hint::black_box(value)
}

#[interprocess_lock("lockattr-test/debugger", timeout = "10s")]
fn annotated(argument: u32, text: String) -> io::Result<usize> {
    let local = argument + 1;
    stops_here(local);
    Ok(text.len())
}

#[test]
fn gdb_shows_the_arguments_the_locals_and_the_guard_of_an_annotated_function() {
    if std::env::var_os(DEBUGGED).is_some() {
        annotated(41, "text".to_owned()).unwrap();
        return;
    }
    leftovers::remove_at_exit("debugger", &["lockattr-test%2fdebugger"]);
    let commands = [
        "break debugger::stops_here",
        "run",
        "up",
        "info args",
        "info locals",
        "print argument",
        "print local",
        "print __guard",
        "continue",
    ];
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch"]).args(commands.iter().flat_map(|command| ["-ex", command]));
    gdb.arg("--args").arg(std::env::current_exe().unwrap());
    gdb.args([
        "--exact",
        "gdb_shows_the_arguments_the_locals_and_the_guard_of_an_annotated_function",
    ]);
    let output = match gdb.env(DEBUGGED, "1").output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("skipped: gdb is not installed");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if errors.contains("ptrace: Operation not permitted") {
        eprintln!("skipped: this machine lets no program be debugged: {errors}");
        return;
    }
    assert!(output.status.success(), "gdb itself failed: {}\n{shown}\n{errors}", output.status);
    for line in
        ["argument = 41", "local = 42", "$1 = 41", "$2 = 42", "lockattr_runtime::guard::LockGuard"]
    {
        assert!(shown.contains(line), "no {line:?} in:\n{shown}\n{errors}");
    }
    assert!(shown.contains("exited normally"), "{shown}\n{errors}");
}
