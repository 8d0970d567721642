//! `lockattr run`.

mod support;

use std::time::{Duration, Instant};

use lockattr_runtime::Backend;
use nix::sys::signal::Signal;
use support::{eventually, lockattr, on_each_backend, refused, said};
use support::{Name, Running, Terminal};

#[test]
fn the_lock_is_held_while_the_command_runs_and_free_afterwards() {
    on_each_backend("held", |name, backend| {
        let holder = Running::holder(name, backend);
        refused(&["run", name, "-b", backend, "-t", "0", "--", "true"], 1);
        assert!(holder.end().success());
        lockattr(&["run", name, "-b", backend, "-t", "0", "--", "true"]).assert().success();
    });
}

#[test]
fn it_ends_as_the_command_does() {
    let name = Name::new("status");
    let run = |script| lockattr(&["run", &name, "--", "sh", "-c", script]).assert();
    run("exit 0").code(0);
    run("exit 7").code(7);
    run("exit 255").code(255);
    run("kill -TERM $$").code(128 + 15);
    run("kill -KILL $$").code(128 + 9);
}

#[test]
fn a_command_that_cannot_be_run_is_126_and_one_that_is_not_there_127() {
    let name = Name::new("no-command");
    let complaint = refused(&["run", &name, "--", "/dev/null"], 126);
    assert!(complaint.contains("/dev/null"), "{complaint}");
    refused(&["run", &name, "--", "/no/such/command"], 127);
    refused(&["run", &name, "--", "no-such-command-anywhere"], 127);
    assert!(!name.lock(Backend::Port).is_locked().unwrap());
}

#[test]
fn a_timeout_says_who_holds_and_the_command_does_not_run() {
    on_each_backend("timeout", |name, backend| {
        let holder = Running::holder(name, backend);
        let start = Instant::now();
        let complaint =
            refused(&["run", name, "-b", backend, "-t", "200ms", "--", "echo", "ran"], 1);
        assert!(start.elapsed() >= Duration::from_millis(200));
        assert!(complaint.contains("timed out after 0."), "{complaint}");
        assert!(complaint.contains(&format!("by pid {}", holder.pid())), "{complaint}");
        refused(&["run", name, "-b", backend, "-t", "0", "-E", "42", "--", "echo", "ran"], 42);
    });
}

#[test]
fn it_waits_for_the_lock() {
    on_each_backend("waits", |name, backend| {
        let holder = Running::holder(name, backend);
        let mut waiter = Running::waiter(name, backend);
        eventually("it waits", || said(&["state", name]).ends_with("1 waits\n"));
        assert!(holder.end().success());
        assert_eq!(waiter.hear(), "acquired");
        assert!(waiter.end().success());
    });
}

#[test]
fn several_locks_are_all_held_and_in_one_order() {
    let names = ["c", "a", "b"].map(Name::new);
    let [one, other, third] = &names;
    let mut holder = Running::start(&[
        "run",
        one,
        other,
        third,
        one,
        "--",
        "sh",
        "-c",
        "echo holding; exec cat",
    ]);
    assert_eq!(holder.hear(), "holding");
    for name in &names {
        lockattr(&["state", "-q", name]).assert().code(0);
    }
    assert!(holder.end().success());

    // The first in the order of the names is taken first, wherever it stands.
    let mut sorted: Vec<&Name> = names.iter().collect();
    sorted.sort_by_key(|name| name.to_string());
    let _first = Running::holder(sorted[0], "port");
    refused(&["run", sorted[2], sorted[1], sorted[0], "-t", "0", "--", "true"], 1);
    let _second = sorted[1].lock(Backend::Port).try_acquire().unwrap();
}

#[test]
fn signals_are_passed_on() {
    let name = Name::new("signals");
    for (signal, trap, code) in
        [(Signal::SIGTERM, "TERM", 15), (Signal::SIGINT, "INT", 2), (Signal::SIGHUP, "HUP", 1)]
    {
        // The shell runs the trap when `read` is interrupted or has ended.
        let script = format!(
            "trap 'echo got it; exit {code}' {trap}; echo ready; while :; do sleep 0.05; done"
        );
        let mut run = Running::start(&["run", &name, "--", "sh", "-c", &script]);
        assert_eq!(run.hear(), "ready");
        run.signal(signal);
        assert_eq!(run.hear(), "got it");
        assert_eq!(run.end().code(), Some(code));
    }
}

#[test]
fn what_the_command_leaves_running_does_not_hold_the_lock() {
    on_each_backend("leftover", |name, backend| {
        let script = "sleep 60 >/dev/null 2>&1 & echo $!";
        let said = said(&["run", "-b", backend, name, "--", "sh", "-c", script]);
        lockattr(&["state", "-q", name]).assert().code(1);
        let pid = nix::unistd::Pid::from_raw(said.trim().parse().unwrap());
        nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    });
}

#[test]
fn the_command_inherits_no_descriptor() {
    let name = Name::new("descriptors");
    let open = said(&["run", &name, "--", "sh", "-c", "ls -l /proc/self/fd"]);
    assert!(!open.contains("socket:") && !open.contains("/dev/shm"), "{open}");
}

#[test]
fn the_lock_is_free_when_the_program_is_killed() {
    on_each_backend("killed", |name, backend| {
        let mut holder = Running::holder(name, backend);
        holder.process.kill().unwrap();
        holder.process.wait().unwrap();
        lockattr(&["state", "-q", "-b", backend, name]).assert().code(1);
        lockattr(&["run", name, "-b", backend, "-t", "5", "--", "true"]).assert().success();
    });
}

#[test]
fn ctrl_c_on_a_terminal_reaches_the_command_once() {
    let name = Name::new("ctrl-c");
    let script = "n=0; trap 'n=$((n + 1))' INT; trap 'echo $n times; exit 5' TERM; echo ready; \
                  while :; do sleep 0.05; done";
    let mut run = Terminal::start(&["run", &name, "--", "sh", "-c", script]);
    run.until("ready");
    run.press("\x03");
    run.until("^C");
    std::thread::sleep(Duration::from_millis(200)); // for a second one to come
    let pid = nix::unistd::Pid::from_raw(run.process.id().try_into().unwrap());
    nix::sys::signal::kill(pid, Signal::SIGTERM).unwrap();
    run.until("1 times");
    assert_eq!(run.end().code(), Some(5));
}

#[test]
fn it_works_where_ignored_signals_are_inherited() {
    let name = Name::new("ignored");
    // `sh` ignores what its script traps with nothing, for its children too.
    let script = format!(
        "trap '' HUP CHLD; {} run {} -- sh -c 'kill -HUP $$; exit 6'",
        support::PROGRAM,
        &*name
    );
    let status = std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
    assert_eq!(status.code(), Some(6));
}

#[test]
fn it_works_where_no_file_may_grow_and_the_command_has_its_signals() {
    let name = Name::new("limit");
    let output = std::env::temp_dir().join(&*name);
    let run = |script: &str| {
        let script = format!("ulimit -f 0; {} {script} > {}", support::PROGRAM, output.display());
        std::process::Command::new("sh").args(["-c", &script]).status().unwrap().code()
    };
    assert_eq!(run(&format!("run {} -- true", &*name)), Some(0));
    // What the command writes for itself is refused, and does not end it.
    assert!(run("list").is_some_and(|code| code != 0));
    // The program that it runs has the signal as it was.
    assert_eq!(run(&format!("run {} -- sh -c 'kill -XFSZ $$'", &*name)), Some(128 + 25));
    std::fs::remove_file(output).unwrap();
}
