//! `lockattr run` that is killed, and the ways to let the lock outlive it.

mod support;

use std::fs;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use support::{eventually, json, lockattr, on_each_backend, refused, said, Name, Running};

/// A command that says its pid and then runs on.
const RUNS_ON: [&str; 3] = ["sh", "-c", "echo $$; exec sleep 1000"];

fn runs(pid: i32) -> bool {
    // A zombie runs no more.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn kill_now(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

#[test]
fn the_command_dies_with_a_lockattr_that_is_killed() {
    on_each_backend("dies", |name, backend| {
        let mut run = Running::start(&[&["run", "-b", backend, name, "--"], &RUNS_ON[..]].concat());
        let command: i32 = run.hear().parse().unwrap();
        assert!(runs(command));
        run.process.kill().unwrap();
        run.process.wait().unwrap();
        eventually("the command is dead", || !runs(command));
        lockattr(&["run", "-b", backend, name, "-t", "5", "--", "true"]).assert().success();
    });
}

#[test]
fn an_inherited_lock_is_held_until_the_command_ends_and_that_is_no_death() {
    let name = Name::new("inherited");
    let mut run = Running::start(&[&["run", "--inherit", &*name, "--"], &RUNS_ON[..]].concat());
    let command: i32 = run.hear().parse().unwrap();
    assert_eq!(json(&["state", "--json", &name])["holder"]["pid"], run.pid());
    run.process.kill().unwrap();
    run.process.wait().unwrap();
    assert!(runs(command));
    let state = json(&["state", "--json", &name]);
    assert_eq!(
        (&state["holder"]["pid"], &state["holder"]["tenure"]),
        (&command.into(), &"kept".into())
    );
    refused(&["run", &name, "-t", "0", "--", "true"], 1);
    kill_now(command);
    lockattr(&["run", &name, "-t", "5", "--", "true"]).assert().success();
}

#[test]
fn an_inherited_lock_is_held_by_the_commands_children_and_free_with_the_last_of_them() {
    let name = Name::new("children");
    let script = "sleep 1000 >/dev/null 2>&1 & echo $!";
    let child: i32 =
        said(&["run", "--inherit", &name, "--", "sh", "-c", script]).trim().parse().unwrap();
    lockattr(&["state", "-q", &name]).assert().code(0);
    let mut waiter = Running::waiter(&name, "port");
    eventually("one waits", || json(&["state", "--json", &name])["waiters"] == 1);
    kill_now(child);
    assert_eq!(waiter.hear(), "acquired");
    assert!(waiter.end().success());
}

#[test]
fn an_inherited_lock_without_children_is_free_and_in_order_at_the_end() {
    let name = Name::new("in-order");
    lockattr(&["run", "--inherit", &name, "--", "sh", "-c", "exit 7"]).assert().code(7);
    let state = json(&["state", "--json", "-b", "port", &name]);
    assert_eq!((&state["locked"], &state["last"]["tenure"]), (&false.into(), &"released".into()));
}

#[test]
fn no_fork_becomes_the_command_which_has_the_lock_until_its_end() {
    let name = Name::new("no-fork");
    let mut run = Running::start(&[&["run", "--no-fork", &*name, "--"], &RUNS_ON[..]].concat());
    assert_eq!(run.hear(), run.pid().to_string());
    eventually("it is the command", || {
        let holder = &json(&["state", "--json", &name])["holder"];
        holder["pid"] == run.pid() && holder["command"] == "sleep"
    });
    refused(&["run", &name, "-t", "0", "--", "true"], 1);
    run.process.kill().unwrap();
    run.process.wait().unwrap();
    let state = json(&["state", "--json", "-b", "port", &name]);
    assert_eq!((&state["locked"], &state["last"]["tenure"]), (&false.into(), &"released".into()));
    refused(&["run", "--no-fork", &name, "--", "/no/such/command"], 127);
    lockattr(&["state", "-q", "-b", "port", &name]).assert().code(1);
}

#[test]
fn a_semaphore_cannot_be_inherited_and_the_right_form_is_shown() {
    let name = Name::new("semaphore");
    for option in ["--inherit", "--no-fork"] {
        let complaint = refused(&["run", "-b", "semaphore", option, &name, "--", "echo", "ran"], 2);
        assert!(complaint.contains("a semaphore cannot outlive its process"), "{complaint}");
        assert!(complaint.contains("`-b port`"), "{complaint}");
    }
    refused(&["run", "--inherit", "--no-fork", &name, "--", "true"], 2);
}
