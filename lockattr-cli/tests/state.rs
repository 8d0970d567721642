//! `lockattr state`.

mod support;

use lockattr_runtime::Backend;
use serde_json::Value;
use support::{eventually, json, lockattr, make_foreign_semaphore, on_each_backend, refused, said};
use support::{Name, Running};

#[test]
fn a_held_lock_is_shown_with_its_holder() {
    on_each_backend("held", |name, backend| {
        let holder = Running::holder(name, backend);
        let shown = said(&["state", name]);
        assert!(shown.starts_with(&format!("\"{}\" ({backend}): held for ", &**name)), "{shown}");
        assert!(shown.contains(&format!("by pid {} (lockattr)", holder.pid())), "{shown}");
        assert!(shown.contains("in the test's holder"), "{shown}");
        let _waiter = Running::waiter(name, backend);
        eventually("one waits", || said(&["state", name]).ends_with("; 1 waits\n"));
    });
}

#[test]
fn quiet_answers_by_the_exit_code_alone() {
    on_each_backend("quiet", |name, backend| {
        let holder = Running::holder(name, backend);
        lockattr(&["state", "-q", name]).assert().code(0).stdout("").stderr("");
        assert!(holder.end().success());
        lockattr(&["state", "-q", name]).assert().code(1).stdout("").stderr("");
    });
}

#[test]
fn a_free_lock_is_shown_with_its_last_holder() {
    on_each_backend("free", |name, backend| {
        let holder = Running::holder(name, backend);
        let pid = holder.pid();
        assert!(holder.end().success());
        let shown = said(&["state", "-b", backend, name]);
        let expected = format!("\"{}\" ({backend}): free; last held for ", &**name);
        assert!(shown.starts_with(&expected), "{shown}");
        assert!(shown.contains(&format!("by pid {pid} (lockattr)")), "{shown}");
    });
}

#[test]
fn an_unknown_lock_is_called_so_and_nothing_is_created() {
    let name = Name::new("unknown");
    for backend in [&[][..], &["-b", "port"], &["-b", "semaphore"]] {
        let shown = said(&[&["state", &*name], backend].concat());
        assert!(shown.contains("unknown"), "{shown}");
        lockattr(&["state", "-q", &name]).args(backend).assert().code(1);
        refused(&[&["unget", &*name], backend].concat(), 1);
        refused(&[&["unget", "--force", &*name], backend].concat(), 1);
    }
    assert!(!name.has_files());
}

#[test]
fn json_has_the_documented_shape() {
    on_each_backend("json", |name, backend| {
        let holder = Running::holder(name, backend);
        let lock = json(&["state", "--json", name]);
        let keys = |value: &Value| {
            value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(&lock), "backend device holder last locked name waiters");
        let person = "command held_seconds info known_by pid since stopped tenure uid user";
        assert_eq!(keys(&lock["holder"]), person);
        assert_eq!(lock["name"], **name);
        assert_eq!(lock["backend"], backend);
        assert_eq!(lock["locked"], true);
        assert_eq!(lock["last"], Value::Null);
        assert_eq!(lock["waiters"], 0);
        let present = &lock["holder"];
        assert_eq!(present["pid"], holder.pid());
        assert_eq!(present["uid"], nix::unistd::geteuid().as_raw());
        assert_eq!(present["command"], "lockattr");
        assert_eq!(present["info"], "the test's holder");
        assert_eq!(present["known_by"], if backend == "port" { "kernel" } else { "record" });
        assert!(present["held_seconds"].as_f64().unwrap() >= 0.0);
        assert!(present["since"].as_str().unwrap().ends_with('Z'));

        assert!(holder.end().success());
        let lock = json(&["state", "--json", "-b", backend, name]);
        assert_eq!((&lock["locked"], &lock["holder"]), (&false.into(), &Value::Null));
        assert_eq!(keys(&lock["last"]), person);
    });
}

#[test]
fn the_backend_is_the_one_under_which_the_name_is_held() {
    let name = Name::new("found");
    let _semaphore = name.lock(Backend::Semaphore).try_acquire().unwrap();
    assert!(said(&["state", &name]).contains("(semaphore): held"));
    // As a program does that has looked before, or k3portlock's.
    let port = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    port.bind(&socket2::SockAddr::unix(format!("\0/portlock/{}", &*name)).unwrap()).unwrap();
    let complaint = refused(&["state", &name], 2);
    assert!(complaint.contains("held under several backends"), "{complaint}");
    assert!(said(&["state", "-b", "port", &name]).contains("(port): held"));
}

#[test]
fn a_name_that_no_lock_can_have_is_a_usage_error() {
    for (name, backend) in [("", "port"), ("a/b", "semaphore"), (&"n".repeat(98), "port")] {
        for command in ["state", "get", "unget"] {
            let complaint = refused(&[command, "-b", backend, name], 2);
            assert!(
                complaint.contains("the name") || complaint.contains("a semaphore's name"),
                "{complaint}"
            );
        }
    }
    refused(&["state", ""], 2);
}

#[test]
fn wrong_usage_is_told_by_the_exit_code() {
    for arguments in [&["state"][..], &["get", "x", "-t", "soon"], &["run", "x"], &["dance"], &[]] {
        lockattr(arguments).assert().code(2);
    }
}

#[test]
fn hostile_text_is_escaped() {
    let name = Name::new("hostile");
    make_foreign_semaphore(&name, "\u{1b}]0;title\u{7}");
    let shown = said(&["state", &name]);
    assert!(shown.contains("\\u{1b}]0;title\\u{7}") && !shown.contains('\u{1b}'), "{shown}");
    let complaint = refused(&["state", "-b", "semaphore", "\u{1b}[2J/"], 2);
    assert!(!complaint.contains('\u{1b}'), "{complaint}");
}

#[test]
fn a_lock_on_its_way_to_a_stopped_process_is_shown_so_and_who_gave_it_is_let_alone() {
    let name = Name::new("way");
    let holder = Running::holder(&name, "port");
    let giver = holder.pid();
    let mut waiter = Running::waiter(&name, "port");
    eventually("one waits", || said(&["state", &name]).ends_with("; 1 waits\n"));
    waiter.signal(nix::sys::signal::Signal::SIGSTOP);
    let stat = format!("/proc/{}/stat", waiter.pid());
    eventually("it is stopped", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
    assert!(holder.end().success());

    let shown = said(&["state", &name]);
    let expected = format!("on its way to pid {} (lockattr, stopped)", waiter.pid());
    assert!(shown.contains(&expected), "{shown}");
    let state = json(&["state", "--json", &name]);
    assert_eq!(state["holder"]["pid"], waiter.pid());
    assert_eq!(state["holder"]["tenure"], "on its way");
    assert_eq!(state["holder"]["stopped"], true);
    let table = said(&["list"]);
    let row = table.lines().find(|line| line.contains(&*name)).unwrap();
    assert!(row.contains("stopped") && row.contains(&waiter.pid().to_string()), "{row}");
    let refusal = refused(&["unget", "--kill", &name], 3);
    assert!(
        refusal.contains("on its way to") && !refusal.contains(&giver.to_string()),
        "{refusal}"
    );

    waiter.signal(nix::sys::signal::Signal::SIGCONT);
    assert_eq!(waiter.hear(), "acquired");
}
