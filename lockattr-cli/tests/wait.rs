//! `lockattr wait`.

mod support;

use std::time::{Duration, Instant};

use support::{eventually, lockattr, on_each_backend, refused, said, Name, Running};

#[test]
fn wait_returns_when_the_lock_is_free_and_takes_nothing() {
    on_each_backend("wait", |name, backend| {
        lockattr(&["wait", name, "-t", "0"]).assert().success();
        assert!(!name.has_files(), "nothing is made by waiting");
        let holder = Running::holder(name, backend);
        let mut wait = Running::start(&["wait", name]);
        // It is no waiter that others would see, or stand behind.
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(wait.process.try_wait().unwrap(), None);
        assert!(!said(&["state", name]).ends_with(" waits\n"));
        assert!(holder.end().success());
        assert!(wait.end().success());
        lockattr(&["state", "-q", "-b", backend, name]).assert().code(1);
    });
}

#[test]
fn wait_ends_after_its_time_and_says_who_holds() {
    on_each_backend("wait-time", |name, backend| {
        let holder = Running::holder(name, backend);
        let start = Instant::now();
        let said = refused(&["wait", name, "-t", "200ms"], 1);
        assert!(start.elapsed() >= Duration::from_millis(200));
        assert!(said.contains(&format!("by pid {} ", holder.pid())), "{said}");
        lockattr(&["wait", name, "-q", "-t", "0"]).assert().code(1).stderr("");
        refused(&["wait", name, "-t", "soon"], 2);
    });
}

#[test]
fn wait_sees_a_holder_die() {
    on_each_backend("wait-death", |name, backend| {
        let mut holder = Running::holder(name, backend);
        let mut wait = Running::start(&["wait", name, "-t", "60"]);
        holder.process.kill().unwrap();
        holder.process.wait().unwrap();
        eventually("it ends", || wait.process.try_wait().unwrap().is_some());
        assert!(wait.end().success());
    });
}

#[test]
fn wait_for_an_ancestors_lock_is_refused() {
    let name = Name::new("wait-ancestor");
    let refusal = refused(&["run", &name, "--", support::PROGRAM, "wait", &name], 3);
    assert!(refusal.contains("would never end"), "{refusal}");
}
