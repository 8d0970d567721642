//! `lockattr list`.

mod support;

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};
use support::{eventually, json, lockattr, make_foreign_semaphore, on_each_backend, said};
use support::{Name, Running, Terminal, PROGRAM};

/// What `list` with these arguments says of the lock `name`.
fn listed(arguments: &[&str], name: &str) -> Option<Value> {
    let all = json(&[&["list", "--json"], arguments].concat());
    let mut found = all.as_array().unwrap().iter().filter(|lock| lock["name"] == name);
    let lock = found.next().cloned();
    assert!(found.next().is_none(), "{name} is listed twice");
    lock
}

fn row(table: &str, name: &str) -> Option<String> {
    let line = table.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    Some(line.to_owned())
}

#[test]
fn a_held_lock_is_listed_with_its_holder_and_where_it_was_taken() {
    on_each_backend("held", |name, backend| {
        let holder = Running::holder(name, backend);
        let row = row(&said(&["list"]), name).unwrap();
        let cells: Vec<_> = row.split_whitespace().collect();
        let pid = holder.pid().to_string();
        assert_eq!(cells[1..4], [backend, "held", &pid], "{row}");
        assert_eq!(cells[5], "lockattr", "{row}");
        assert!(row.ends_with("  0  the test's holder"), "{row}");
    });
}

#[test]
fn waiters_are_counted() {
    on_each_backend("waiters", |name, backend| {
        let _holder = Running::holder(name, backend);
        let _waiters = [Running::waiter(name, backend), Running::waiter(name, backend)];
        eventually("two wait", || listed(&[], name).unwrap()["waiters"] == 2);
    });
}

#[test]
fn the_longest_name_is_listed_with_its_waiters() {
    let name = Name::longest();
    let _holder = Running::holder(&name, "port");
    let _waiter = Running::waiter(&name, "port");
    eventually("one waits", || listed(&["--held"], &name).unwrap()["waiters"] == 1);
}

#[test]
fn a_free_semaphore_is_listed_with_its_last_holder_and_not_among_those_held() {
    let name = Name::new("free-semaphore");
    let holder = Running::holder(&name, "semaphore");
    let pid = holder.pid();
    assert!(holder.end().success());
    let lock = listed(&[], &name).unwrap();
    assert_eq!(lock["locked"], false);
    assert_eq!(lock["holder"], Value::Null);
    assert_eq!(lock["last"]["pid"], pid);
    assert_eq!(lock["last"]["info"], "the test's holder");
    assert_eq!(listed(&["--held"], &name), None);
}

#[test]
fn the_record_of_a_free_port_lock_is_listed_with_all() {
    let name = Name::new("free-port");
    let holder = Running::holder(&name, "port");
    let pid = holder.pid();
    assert!(holder.end().success());
    assert_eq!(listed(&[], &name), None);
    let lock = listed(&["--all"], &name).unwrap();
    assert_eq!((&lock["locked"], &lock["last"]["pid"]), (&false.into(), &pid.into()));
}

#[test]
fn a_semaphore_whose_holder_died_is_listed_as_left() {
    let name = Name::new("died");
    let mut holder = Running::holder(&name, "semaphore");
    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    let row = row(&said(&["list"]), &name).unwrap();
    assert_eq!(row.split_whitespace().nth(2), Some("died"), "{row}");
}

#[test]
fn a_lock_of_k3portlock_is_listed_with_its_process() {
    let name = Name::new("foreign-port");
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(format!("\0/portlock/{}", &*name)).unwrap()).unwrap();
    let lock = listed(&[], &name).unwrap();
    assert_eq!(lock["locked"], true);
    assert_eq!(lock["holder"]["pid"], std::process::id());
    assert_eq!(lock["holder"]["known_by"], "proc");
}

#[test]
fn a_port_whose_name_is_no_text_is_listed() {
    let name = Name::new("no-text");
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let address = [b"\0/portlock/", name.as_bytes(), b"\xff"].concat();
    let address = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&address);
    socket.bind(&SockAddr::unix(address).unwrap()).unwrap();
    let lock = listed(&[], &format!("{}\u{fffd}", &*name)).unwrap();
    assert_eq!((&lock["locked"], &lock["holder"]), (&true.into(), &Value::Null));
}

#[test]
fn a_lock_of_resourcelock_is_listed_with_its_text() {
    let name = Name::new("foreign-semaphore");
    make_foreign_semaphore(&name, "2024-10-20 16:00:51.864484 - theirs #1");
    let lock = listed(&[], &name).unwrap();
    assert_eq!(lock["locked"], true);
    assert_eq!(lock["holder"]["info"], "theirs #1");
    assert_eq!(lock["holder"]["known_by"], "text");
}

#[test]
fn a_semaphore_without_a_record_is_no_lock() {
    let name = Name::new("no-lock");
    std::fs::write(format!("/dev/shm/sem.{}", &*name), [0; 32]).unwrap();
    assert_eq!(listed(&[], &name), None);
}

#[test]
fn a_damaged_semaphore_is_listed_with_what_is_wrong() {
    let name = Name::new("damaged");
    make_foreign_semaphore(&name, "");
    std::fs::write(format!("/dev/shm/sem.{}", &*name), [0; 3]).unwrap();
    assert_eq!(listed(&[], &name).unwrap()["locked"], Value::Null);
    assert!(row(&said(&["list"]), &name).unwrap().contains("has 3 bytes"));
}

#[test]
fn one_backend_alone_can_be_listed() {
    let port = Name::new("only-port");
    let semaphore = Name::new("only-semaphore");
    let _holders = [Running::holder(&port, "port"), Running::holder(&semaphore, "semaphore")];
    assert!(listed(&["-b", "port"], &port).is_some());
    assert!(listed(&["-b", "port"], &semaphore).is_none());
    assert!(listed(&["-b", "semaphore"], &semaphore).is_some());
    assert!(listed(&["-b", "semaphore"], &port).is_none());
}

#[test]
fn names_and_records_cannot_steer_the_terminal() {
    let name = Name::new("hostile");
    make_foreign_semaphore(&name, "2024-10-20 16:00:51.864484 - \u{1b}[2J\n\u{9b}gone\u{202e}");
    let port = format!("{}\u{1b}[31m\nsecond line", &*name);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(format!("\0/portlock/{port}")).unwrap()).unwrap();

    let shown = said(&["list"]);
    assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown}");
    assert!(shown.contains(&format!("{}\\u{{1b}}[31m\\nsecond line", &*name)), "{shown}");
    assert!(row(&shown, &name).unwrap().contains("\\u{1b}[2J\\n"), "{shown}");
    assert!(!said(&["list", "--json"]).contains('\u{1b}'));
    assert!(listed(&[], &port).is_some());
}

#[test]
fn looking_does_not_disturb_the_holder() {
    let name = Name::new("undisturbed");
    let mut holder = Running::holder(&name, "port");
    for _ in 0..20 {
        said(&["list"]);
    }
    holder.tell("on");
    assert_eq!(holder.hear(), "on");
    assert!(holder.end().success());
    lockattr(&["run", &name, "-t", "0", "--", "true"]).assert().success();
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let mut list = Command::new(PROGRAM)
        .args(["list", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(list.stdout.take()); // before it has anything to write, or while it writes
    let mut complaint = String::new();
    list.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!((list.wait().unwrap().code(), &*complaint), (Some(0), ""));
}

#[test]
fn colour_is_for_terminals_and_no_color_is_kept() {
    const YELLOW: &str = "\u{1b}[33m";

    let name = Name::new("colour");
    let _holder = Running::holder(&name, "port");
    assert!(!said(&["list"]).contains('\u{1b}'));
    Terminal::start(&["list", "--held"]).until(YELLOW);
    // `env` stands in for a shell that sets it.
    let mut plain = Terminal::start_under(&["env", "NO_COLOR=1"], &["list", "--held"]);
    assert!(!plain.until("the test's holder").contains('\u{1b}'));
}

#[test]
fn patterns_say_which_locks_are_listed() {
    let names = [Name::new("pattern-a"), Name::new("pattern-b")];
    let _holders = names.each_ref().map(|name| Running::holder(name, "port"));
    let pattern = format!("cli-pattern-?-{}-*", std::process::id());
    let shown = said(&["list", &pattern]);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    let shown = said(&["list", &names[1], "no such *"]);
    assert!(shown.contains(&*names[1]) && !shown.contains(&*names[0]), "{shown}");
    let refusal = support::refused(&["list", "a[b"], 2);
    assert!(refusal.contains("write it as `i2c-*`"), "{refusal}");
}

#[test]
fn the_place_of_a_run_is_its_command_line_cut_where_there_is_no_room() {
    let name = Name::longest();
    let long = "x".repeat(200);
    let script = "echo holding; exec cat";
    let mut run = Running::start(&["run", &name, "--", "sh", "-c", script, "sh", &long]);
    assert_eq!(run.hear(), "holding");
    assert_eq!(
        listed(&[], &name).unwrap()["holder"]["info"],
        format!("sh -c '{script}' sh {long}")
    );
    let row = row(&said(&["list"]), &name).unwrap();
    assert!(row.contains(&format!("sh -c '{script}' sh xxx")) && row.ends_with("x…"), "{row}");
    assert!(row.len() < 300, "{row}");
    // A terminal of 160 characters.
    let mut list = Terminal::start(&["list", "--held", &name]);
    let shown = list.until("\u{2026}\r\n");
    let line = shown.lines().last().unwrap();
    assert!(line.contains("cli-longest") && line.contains("sh -c 'echo"), "{line}");
    let plain = line.replace("\u{1b}[33m", "").replace("\u{1b}[0m", "");
    assert!(plain.chars().count() <= 160, "{line}");
}

#[test]
fn without_proc_it_says_what_is_missing() {
    let script = format!("mount -t tmpfs none /proc && exec {PROGRAM} list");
    let output = Command::new("unshare").args(["-m", "sh", "-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("unshare failed") || said.contains("permission denied") {
        return; // it takes root
    }
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("/proc/net/unix") && said.contains("mounted /proc"), "{said}");
}
