//! Each whole program is run, and must end well: they check themselves.

#[allow(dead_code)] // these tests need a path only
#[path = "../../tests/interop/python.rs"]
mod python;

use std::process::Command;
use std::time::Duration;

use lockattr::{Backend, Lock};

/// The programs' locks have fixed names, so only one run at a time is on the machine.
static ALONE: Lock = Lock::port("lockattr-test-programs");

/// What the program says, which must end well. Then the files of its locks are removed.
fn said_by(command: &mut Command, locks: &[(Backend, &str)]) -> String {
    let alone = ALONE.acquire(Duration::from_secs(120)).unwrap();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for (backend, name) in locks {
        Lock::open(*backend, name).unwrap().remove_files().unwrap();
    }
    drop(alone);
    // The last one to end removes this one's record.
    let _ = ALONE.remove_files();
    String::from_utf8(output.stdout).unwrap()
}

fn said(program: &str, locks: &[&str]) -> String {
    let locks: Vec<_> = locks.iter().map(|name| (Backend::Port, *name)).collect();
    said_by(&mut Command::new(program), &locks)
}

#[test]
fn a_driver_shares_its_bus() {
    let said = said(env!("CARGO_BIN_EXE_i2c_driver"), &["example-i2c-1"]);
    assert!(said.contains("with the attribute on the driver   0\n"), "{said}");
    assert!(said.contains("with another's driver, shared      0\n"), "{said}");
}

#[test]
fn a_daemon_and_a_tool_share_a_supply() {
    let said = said(env!("CARGO_BIN_EXE_daemon_and_tool"), &["example-supply"]);
    assert!(said.ends_with("they never met\n"), "{said}");
}

#[test]
fn rust_and_python_share_a_device() {
    // The environment of the interop tests, with both packages.
    let Some(python) = python::command("python") else { return };
    let mut program = Command::new(env!("CARGO_BIN_EXE_beside_python"));
    said_by(
        program.env("PYTHON", python.get_program()),
        &[(Backend::Port, "example-python-port"), (Backend::Semaphore, "example-python-semaphore")],
    );
}

#[test]
fn a_reset_is_skipped_while_a_board_is_flashed() {
    let locks = ["example-gpio-4", "example-gpio-17"];
    let said = said(env!("CARGO_BIN_EXE_gpio_sequence"), &locks);
    assert!(said.contains("flashes the board"), "{said}");
}

#[test]
fn a_bus_is_reset_after_a_kill() {
    let said = said(env!("CARGO_BIN_EXE_recover_bus"), &["example-recover"]);
    assert!(said.ends_with("two transfers, one reset\n"), "{said}");
}

#[test]
fn ctrl_c_ends_a_wait() {
    said(env!("CARGO_BIN_EXE_ctrl_c"), &["example-ctrl-c"]);
}
