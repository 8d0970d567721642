//! `lockattr trace`.

mod support;

use std::time::{Duration, Instant};

use lockattr_runtime::Backend;
use nix::sys::signal::Signal;
use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};
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
        let giver = holder.pid();
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
        if passed["event"] == "released" {
            assert_eq!(event(&mut trace)["holder"]["pid"], next.pid());
        } else {
            assert_eq!(
                (&passed["event"], &passed["from"]["pid"]),
                (&"passed".into(), &giver.into())
            );
            assert_eq!(passed["holder"]["pid"], next.pid());
        }
    });
}

/// Seen first where it has bound its port and neither listens nor has written its record: one hold, not two.
#[test]
fn a_holder_that_has_yet_to_write_its_record_is_passed_from_by_nobody() {
    let name = Name::new("unwritten");
    let mut trace = Running::start(&["trace", "--json", &name, "-u", "100ms"]);
    assert_eq!(event(&mut trace)["event"], "free");
    let bound = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    bound.bind(&SockAddr::unix(format!("\0/portlock/{}", &*name)).unwrap()).unwrap();
    let taken = event(&mut trace);
    assert_eq!((&taken["event"], &taken["holder"]["since"]), (&"taken".into(), &Value::Null));
    // A hold past the time in which it looks more often: the change below is to fall between two looks.
    std::thread::sleep(Duration::from_millis(500));
    drop(bound);
    let guard = name.lock(Backend::Port).acquire(Duration::from_secs(60)).unwrap();
    // A hold of several looks, of which none is to say anything.
    std::thread::sleep(Duration::from_millis(500));
    drop(guard);
    let next = event(&mut trace);
    assert_eq!(next["event"], "released", "{next}");
    assert_eq!(next["last"]["pid"], std::process::id());
}

#[test]
fn ctrl_c_on_a_terminal_ends_it_well() {
    let name = Name::new("ctrl-c");
    let mut trace = Terminal::start(&["trace", &name]);
    trace.until("free");
    trace.press("\x03");
    assert_eq!(trace.end().code(), Some(0));
}

#[test]
fn every_hold_is_seen_or_counted_as_missed() {
    on_each_backend("losses", |name, backend| {
        let lock = name.lock(if backend == "port" { Backend::Port } else { Backend::Semaphore });
        drop(lock.try_acquire().unwrap()); // the record is there
        for (hold, pause) in [(20, 20), (0, 1)] {
            let mut trace =
                Running::start(&["trace", "-b", backend, "--json", name, "-u", "100ms"]);
            assert_eq!(event(&mut trace)["event"], "free");
            for _ in 0..20 {
                let guard = lock.acquire(Duration::from_secs(60)).unwrap();
                std::thread::sleep(Duration::from_millis(hold));
                drop(guard);
                std::thread::sleep(Duration::from_millis(pause));
            }
            let mut holds = 0;
            while holds < 20 {
                let event = event(&mut trace);
                holds += match event["event"].as_str().unwrap() {
                    "taken" | "passed" => 1,
                    "missed" => event["missed"].as_u64().unwrap(),
                    "released" => 0,
                    other => panic!("{other}"),
                };
            }
            assert_eq!(holds, 20);
        }
    });
}

#[test]
fn a_death_is_an_event_of_its_own() {
    on_each_backend("died", |name, backend| {
        let mut holder = Running::holder(name, backend);
        let mut trace = Running::start(&["trace", "-b", backend, "--json", name, "-u", "10ms"]);
        assert_eq!(event(&mut trace)["event"], "held");
        let pid = holder.pid();
        holder.process.kill().unwrap();
        holder.process.wait().unwrap();
        let died = event(&mut trace);
        assert_eq!((&died["event"], &died["last"]["pid"]), (&"died".into(), &pid.into()));
    });
}

#[test]
fn without_a_name_all_locks_are_traced_also_those_that_come_later() {
    on_each_backend("all", |name, backend| {
        let early = Name::new("all-early");
        let _early = Running::holder(&early, backend);
        let mut trace = Running::start(&["trace", "--json", "-u", "10ms"]);
        let mut of = |name: &str, what: &str| loop {
            let event = event(&mut trace);
            if event["name"] == name {
                assert_eq!(event["event"], what, "{event}");
                break;
            }
        };
        of(&early, "held");
        let late = Running::holder(name, backend);
        of(name, "taken");
        assert!(late.end().success());
        of(name, "released");
    });
}
