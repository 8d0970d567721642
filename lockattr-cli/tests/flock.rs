//! What flock(1) does, `lockattr run` does: the cases of util-linux's `tests/ts/misc/flock`, and the options that
//! people have in their fingers.

mod support;

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use support::{lockattr, refused, said, Name, Running};

#[test]
fn exclusive_a_second_one_that_does_not_wait_is_refused_while_the_first_runs() {
    let name = Name::new("exclusive");
    let holder = Running::holder(&name, "port");
    refused(&["run", "--nonblock", &name, "--", "echo", "ran"], 1);
    refused(&["run", "-n", &name, "-c", "echo ran"], 1);
    assert!(holder.end().success());
    assert_eq!(said(&["run", "-n", &name, "--", "echo", "ran"]), "ran\n");
}

#[test]
fn non_blocking_the_exit_code_of_a_conflict_can_be_chosen_and_is_not_the_commands() {
    let name = Name::new("conflict");
    let holder = Running::holder(&name, "port");
    refused(&["run", "-n", "-E", "123", &name, "--", "true"], 123);
    refused(&["run", "-n", "--conflict-exit-code", "0", &name, "--", "false"], 0);
    refused(&["run", "-n", "-E", "256", &name, "--", "true"], 2);
    assert!(holder.end().success());
    lockattr(&["run", "-n", "-E", "123", &name, "--", "sh", "-c", "exit 7"]).assert().code(7);
}

#[test]
fn timeout_it_waits_so_long_and_no_longer_or_until_the_lock_comes() {
    let name = Name::new("timeout");
    let holder = Running::holder(&name, "port");
    for option in ["-w", "--timeout", "-t"] {
        let start = Instant::now();
        refused(&["run", option, "0.3", &name, "--", "echo", "ran"], 1);
        let waited = start.elapsed();
        assert!(
            waited >= Duration::from_millis(300) && waited < Duration::from_secs(20),
            "{waited:?}"
        );
    }
    let mut waiter = Running::start(&["run", "-w", "60", &name, "--", "echo", "ran"]);
    support::eventually("it waits", || support::json(&["state", "--json", &name])["waiters"] == 1);
    assert!(holder.end().success());
    assert_eq!(waiter.hear(), "ran");
    refused(&["run", "-n", "-w", "1", &name, "--", "true"], 2);
}

#[test]
fn exit_codes_are_the_commands_and_those_of_a_shell() {
    let name = Name::new("codes");
    for (command, code) in [("true", 0), ("false", 1), ("exit 42", 42), ("kill -TERM $$", 143)] {
        lockattr(&["run", &name, "-c", command]).env("SHELL", "/bin/sh").assert().code(code);
    }
    refused(&["run", &name, "--", "/no/such/command"], 127);
    refused(&["run", &name, "--", "/dev/null"], 126);
}

#[test]
fn commands_a_line_goes_to_the_users_shell_and_words_reach_the_command_as_they_are() {
    let name = Name::new("commands");
    let line =
        lockattr(&["run", &name, "-c", "echo $0 \"a  b\" | cat"]).env("SHELL", "/bin/sh").assert();
    line.success().stdout("/bin/sh a  b\n");
    lockattr(&["run", &name, "-c", "exit 5"]).env("SHELL", "/bin/sh").assert().code(5);
    lockattr(&["run", &name, "-c", "echo ran"]).env_remove("SHELL").assert().stdout("ran\n");
    lockattr(&["run", &name, "-c", "true"]).env("SHELL", "/no/shell").assert().code(127);
    let words = ["run", &name, "--", "printf", "%s|", "a  b", "*", "", "-x", "--"];
    assert_eq!(said(&words), "a  b|*||-x|--|");
    refused(&["run", &name, "-c", "true", "--", "true"], 2);
}

#[test]
fn inheriting_a_child_keeps_the_lock_with_inherit_and_not_without_it() {
    for (options, is_held) in [(&[][..], false), (&["--inherit"], true)] {
        let name = Name::new("inheriting");
        let script = "sleep 1000 >/dev/null 2>&1 & echo $!";
        let pid = said(&[&["run"], options, &[&*name, "-c", script]].concat());
        let code = i32::from(is_held);
        lockattr(&["run", "-n", &name, "--", "true"]).assert().code(code);
        kill(Pid::from_raw(pid.trim().parse().unwrap()), Signal::SIGKILL).unwrap();
        lockattr(&["run", "-w", "60", &name, "--", "true"]).assert().success();
    }
}

#[test]
fn a_path_is_a_name_like_any_other_and_no_file_is_made() {
    let path = std::env::temp_dir().join(&*Name::new("path"));
    let path = path.to_str().unwrap();
    let mut holder = Running::start(&["run", path, "-c", "echo holding; exec cat"]);
    assert_eq!(holder.hear(), "holding");
    refused(&["run", "-n", path, "--", "echo", "ran"], 1);
    assert!(fs::symlink_metadata(path).is_err());
    assert!(holder.end().success());
    said(&["clean", path]);
    assert!(!said(&["list", "--all", path]).contains(path));
    let refusal = refused(&["run", "-b", "semaphore", path, "--", "true"], 2);
    assert!(refusal.contains('/'), "{refusal}");
}

#[test]
fn a_forgotten_double_dash_is_shown_where_it_belongs() {
    let name = Name::new("dashes");
    for (command, code) in
        [(&["echo", "hi"][..], 2), (&["ls", "-l"], 2), (&["sh", "-c", "echo hi"], 2), (&[], 2)]
    {
        let tip = refused(&[&["run", &*name], command].concat(), code);
        let form = format!("lockattr run {} -- {}", &*name, command.join(" "));
        assert!(tip.contains(form.trim_end()), "{tip}");
    }
}
