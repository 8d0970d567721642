//! `lockattr trace`.

mod support;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use support::{on_each_backend, Name, Running, Terminal};

fn event(trace: &mut Running) -> Value {
    serde_json::from_str(&trace.hear()).unwrap()
}

#[test]
fn every_change_is_a_line() {
    on_each_backend("changes", |name, backend| {
        let mut trace = Running::start(&["trace", "-b", backend, "--json", name, "-u", "10ms"]);
        let first = event(&mut trace);
        assert_eq!((&first["event"], &first["locked"]), (&"free".into(), &false.into()));
        let holder = Running::holder(name, backend);
        let taken = event(&mut trace);
        assert_eq!(taken["event"], "taken");
        assert_eq!(taken["name"], **name);
        assert_eq!(taken["holder"]["pid"], holder.pid());
        assert!(taken["time"].as_str().unwrap().ends_with('Z'));
        assert!(holder.end().success());
        assert_eq!(event(&mut trace)["event"], "released");
        trace.signal(Signal::SIGINT);
        assert_eq!(trace.hear(), "");
        assert_eq!(trace.end().code(), Some(0));
    });
}

#[test]
fn the_release_of_a_port_is_seen_at_once() {
    let name = Name::new("at-once");
    let holder = Running::holder(&name, "port");
    let mut trace = Running::start(&["trace", &name, "-u", "1h"]);
    assert!(trace.hear().contains("held      \""));
    let start = Instant::now();
    assert!(holder.end().success());
    assert!(trace.hear().contains("released"));
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn several_locks_are_traced_together() {
    let names = [Name::new("several"), Name::new("several")];
    let mut trace = Running::start(&["trace", &names[0], &names[1], "-u", "10ms"]);
    assert!(trace.hear().contains(&*names[0]));
    assert!(trace.hear().contains(&*names[1]));
    let _holder = Running::holder(&names[1], "semaphore");
    drop(trace);
}

#[test]
fn a_passed_on_lock_is_an_event() {
    on_each_backend("passed", |name, backend| {
        let holder = Running::holder(name, backend);
        let mut trace = Running::start(&["trace", "--json", name, "-u", "10ms"]);
        assert_eq!(event(&mut trace)["event"], "held");
        let mut next = Running::start(&[
            "run",
            "-b",
            backend,
            name,
            "--",
            "sh",
            "-c",
            "echo holding; exec cat",
        ]);
        support::eventually("it waits", || {
            support::json(&["state", "--json", name])["waiters"] == 1
        });
        assert!(holder.end().success());
        assert_eq!(next.hear(), "holding");
        let passed = event(&mut trace);
        // Where a semaphore changes hands there is a moment in between.
        let passed = if passed["event"] == "released" { event(&mut trace) } else { passed };
        assert_eq!(passed["holder"]["pid"], next.pid());
    });
}

#[test]
fn ctrl_c_on_a_terminal_ends_it_well() {
    let name = Name::new("ctrl-c");
    let mut trace = Terminal::start(&["trace", &name]);
    trace.until("free");
    trace.press("\x03");
    assert_eq!(trace.end().code(), Some(0));
}
