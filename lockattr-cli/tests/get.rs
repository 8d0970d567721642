//! `lockattr get` and `lockattr unget`.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use lockattr_runtime::Backend;
use nix::sys::signal::Signal;
use support::{eventually, json, lockattr, make_foreign_semaphore, on_each_backend, refused, said};
use support::{Name, Running};

#[test]
fn what_get_takes_stays_taken_until_unget() {
    on_each_backend("taken", |name, backend| {
        said(&["get", "-b", backend, name, "-m", "by hand"]);
        lockattr(&["state", "-q", name]).assert().code(0);
        assert_eq!(json(&["state", "--json", name])["holder"]["info"], "by hand");
        refused(&["run", name, "-b", backend, "-t", "100ms", "--", "true"], 1);
        let released = said(&["unget", name, "-m", "at the end"]);
        assert!(released.contains("released") && released.contains("<at the end>"), "{released}");
        lockattr(&["state", "-q", name]).assert().code(1);
        let complaint = refused(&["unget", name], 1);
        assert!(complaint.contains("nothing to release"), "{complaint}");
    });
}

#[test]
fn get_waits_half_a_second_and_says_who_holds() {
    on_each_backend("busy", |name, backend| {
        let holder = Running::holder(name, backend);
        let start = Instant::now();
        let complaint = refused(&["get", "-b", backend, name], 1);
        assert!(start.elapsed() >= Duration::from_millis(500));
        assert!(complaint.contains("timed out after "), "{complaint}");
        assert!(complaint.contains(&format!("by pid {}", holder.pid())), "{complaint}");
    });
}

#[test]
fn get_waits_for_ever_if_told_so() {
    on_each_backend("for-ever", |name, backend| {
        for timeout in ["none", "-1"] {
            let holder = Running::holder(name, backend);
            let mut get = Running::start(&["get", "-b", backend, name, "-t", timeout]);
            eventually("it waits", || said(&["state", name]).ends_with("1 waits\n"));
            assert!(holder.end().success());
            assert!(get.hear().ends_with("taken"));
            assert!(get.end().success());
            said(&["unget", name]);
        }
    });
}

#[test]
fn a_get_that_is_stopped_while_it_waits_takes_nothing_later() {
    on_each_backend("stopped", |name, backend| {
        let holder = Running::holder(name, backend);
        let get = Running::start(&["get", "-b", backend, name, "-t", "none"]);
        eventually("it waits", || said(&["state", name]).ends_with("1 waits\n"));
        get.signal(Signal::SIGINT);
        get.end();
        if backend == "port" {
            eventually("nobody waits", || !said(&["state", name]).contains("wait"));
        }
        assert!(holder.end().success());
        lockattr(&["state", "-q", name]).assert().code(1);
    });
}

#[test]
fn the_lock_is_given_back_after_a_while_if_told_so() {
    on_each_backend("a-while", |name, backend| {
        let start = Instant::now();
        said(&["get", "-b", backend, name, "-a", "1500ms"]);
        lockattr(&["state", "-q", name]).assert().code(0);
        eventually("it is free", || {
            lockattr(&["state", "-q", name]).output().unwrap().status.code() == Some(1)
        });
        assert!(start.elapsed() >= Duration::from_millis(1500));
        said(&["get", "-b", backend, name, "-a", "60"]);
        said(&["unget", name]);
        lockattr(&["state", "-q", name]).assert().code(1);
    });
}

#[test]
fn a_live_holder_keeps_the_lock_and_is_named() {
    on_each_backend("alive", |name, backend| {
        let holder = Running::holder(name, backend);
        let complaint = refused(&["unget", name], 3);
        assert!(complaint.contains(&format!("by pid {}", holder.pid())), "{complaint}");
        lockattr(&["state", "-q", name]).assert().code(0);
    });
}

#[test]
fn force_does_not_open_a_port_and_offers_to_end_its_holder() {
    let name = Name::new("force-port");
    let mut holder = Running::holder(&name, "port");
    let complaint = refused(&["unget", "--force", &name], 3);
    assert!(complaint.contains(&format!("by pid {}", holder.pid())), "{complaint}");
    assert!(complaint.contains("--kill"), "{complaint}");
    said(&["unget", "--force", "--kill", &name]);
    lockattr(&["state", "-q", &name]).assert().code(1);
    assert_eq!(holder.hear(), ""); // SIGTERM was passed on to the command
    assert_eq!(holder.end().code(), Some(128 + 15));
}

#[test]
fn a_holder_that_ignores_the_signal_is_told_of() {
    let name = Name::new("ignores");
    let mut holder =
        Running::start(&["run", &name, "--", "sh", "-c", "trap '' TERM; echo ready; exec cat"]);
    assert_eq!(holder.hear(), "ready");
    let complaint = refused(&["unget", "--kill", &name], 3);
    assert!(complaint.contains("holds it still"), "{complaint}");
}

#[test]
fn kill_ends_the_holder_of_a_semaphore_too_and_none_that_is_only_a_text() {
    let name = Name::new("kill-semaphore");
    let holder = Running::holder(&name, "semaphore");
    let refusal = refused(&["unget", &name], 3);
    assert!(refusal.contains("`--kill`") && !refusal.contains("--force"), "{refusal}");
    let released = said(&["unget", "--kill", &name]);
    assert!(released.contains(&format!("by pid {} ", holder.pid())), "{released}");
    assert_eq!(holder.end().code(), Some(128 + 15));
    lockattr(&["state", "-q", &name]).assert().code(1);

    let name = Name::new("kill-text");
    make_foreign_semaphore(&name, "2024-10-20 16:00:51.864484 - theirs");
    let refusal = refused(&["unget", "--kill", &name], 3);
    assert!(refusal.contains("none is ended"), "{refusal}");
    lockattr(&["state", "-q", &name]).assert().code(0);
}

#[test]
fn force_releases_a_semaphore_of_a_program_that_leaves_only_a_text() {
    let name = Name::new("force-text");
    make_foreign_semaphore(&name, "2024-10-20 16:00:51.864484 - theirs");
    let complaint = refused(&["unget", &name], 3);
    assert!(complaint.contains("theirs") && complaint.contains("--force"), "{complaint}");
    said(&["unget", "--force", &name]);
    lockattr(&["state", "-q", &name]).assert().code(1);
    lockattr(&["run", "-b", "semaphore", &name, "-t", "0", "--", "true"]).assert().success();
}

#[test]
fn a_holder_whose_semaphore_was_posted_is_named_by_state_and_unget() {
    let name = Name::new("posted");
    let holder = Running::holder(&name, "semaphore");
    let by = format!("by pid {} ", holder.pid());
    for _ in 0..2 {
        let refusal = refused(&["unget", "--force", &name], 3);
        assert!(
            refusal.contains("posted, and not released: held for") && refusal.contains(&by),
            "{refusal}"
        );
        assert!(refusal.contains("`--kill`"), "{refusal}");
        let state = said(&["state", &name]);
        assert!(state.contains(&by), "{state}");
    }
    assert!(refused(&["get", "-b", "semaphore", &name], 1).contains(&by));
    assert!(holder.end().success());
    assert!(refused(&["unget", "--force", &name], 1).contains("free"));
}

#[test]
fn a_text_that_anybody_may_have_set_is_no_last_holder() {
    let name = Name::new("set-text");
    said(&["run", "-b", "semaphore", &name, "--", "true"]);
    let page = std::fs::File::options().write(true).open(format!("/dev/shm/{}", &*name)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&page, b"calibrated\0", 0).unwrap();
    let state = said(&["state", &name]);
    assert!(state.contains("free; last held for") && !state.contains("calibrated"), "{state}");
}

#[test]
fn a_semaphore_that_nobody_explains_is_freed_by_force() {
    let name = Name::new("orphan");
    make_foreign_semaphore(&name, "");
    let complaint = refused(&["get", "-b", "semaphore", &name, "-t", "100ms"], 1);
    assert!(complaint.contains("unget --force"), "{complaint}");
    let refusal = refused(&["unget", &name], 3);
    let words = "taken, and nobody says by whom";
    for told in [complaint, refusal, said(&["state", &name])] {
        assert!(told.contains(words), "{told}");
    }
    let lock = json(&["state", "--json", &name]);
    assert_eq!((&lock["locked"], &lock["holder"]), (&true.into(), &serde_json::Value::Null));
    let listed = said(&["list", "--held"]);
    let row = listed.lines().find(|line| line.starts_with(&*name)).unwrap();
    assert!(row.contains("held") && !row.contains("keeper"), "{row}");
    assert!(said(&["unget", "--force", &name]).contains(words));
    said(&["get", "-b", "semaphore", &name]);
    said(&["unget", &name]);
}

#[test]
fn what_a_dead_holder_left_is_freed_without_force() {
    let name = Name::new("dead");
    let mut holder = Running::holder(&name, "semaphore");
    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    said(&["unget", &name]);
    refused(&["unget", &name], 1);
}

#[test]
fn the_keeper_holds_no_pipe_of_its_caller() {
    let name = Name::new("pipes");
    // `read_to_end` of the output would not return while a keeper had its other end.
    let script = format!("{} get {} 3>&1 4>&2", support::PROGRAM, &*name);
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(name.lock(Backend::Port).is_locked().unwrap());
    said(&["unget", &name]);
}

#[test]
fn a_killed_keeper_frees_the_lock() {
    let name = Name::new("keeper");
    said(&["get", &name]);
    let pid = json(&["state", "--json", &name])["holder"]["pid"].as_i64().unwrap();
    let keeper = nix::unistd::Pid::from_raw(pid.try_into().unwrap());
    nix::sys::signal::kill(keeper, Signal::SIGKILL).unwrap();
    eventually("it is free", || !name.lock(Backend::Port).is_locked().unwrap());
}

#[test]
fn a_lock_got_for_a_process_is_held_until_that_process_ends() {
    on_each_backend("pid", |name, backend| {
        let mut process = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = process.id().to_string();
        said(&["get", "-b", backend, name, "--pid", &pid, "-m", "a job"]);
        let info = &json(&["state", "--json", name])["holder"]["info"];
        assert_eq!(*info, format!("a job (while sleep (pid {pid}) runs)"));
        process.kill().unwrap();
        process.wait().unwrap();
        eventually("it is free", || {
            lockattr(&["state", "-q", "-b", backend, name]).output().unwrap().status.code()
                == Some(1)
        });
    });
    // A script's own.
    let name = Name::new("script");
    let script = format!("{} get --pid $$ {} >&2; {0} state -q {1}", support::PROGRAM, &*name);
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    eventually("it is free", || !name.lock(Backend::Port).is_locked().unwrap());
}

#[test]
fn a_process_that_has_ended_or_is_none_holds_nothing() {
    let name = Name::new("no-pid");
    let mut process = Command::new("true").spawn().unwrap();
    let pid = process.id().to_string();
    process.wait().unwrap();
    let refusal = refused(&["get", &name, "--pid", &pid], 3);
    assert!(refusal.contains("there is no process") && refusal.contains("--pid $$"), "{refusal}");
    for wrong in ["0", "-1", "me"] {
        refused(&["get", &name, &format!("--pid={wrong}")], 2);
    }
    lockattr(&["state", "-q", &name]).assert().code(1);
}

#[test]
fn a_keeper_shows_for_how_long_it_holds_and_by_whom_it_was_got() {
    on_each_backend("shows", |name, backend| {
        said(&["get", "-b", backend, name, "-a", "1h"]);
        let holder = &json(&["state", "--json", name])["holder"];
        let info = holder["info"].as_str().unwrap().to_owned();
        assert!(info.starts_with("lockattr get, by ") && info.ends_with(" (for 1h)"), "{info}");
        assert!(info.contains(&format!("(pid {})", std::process::id())), "{info}");
        said(&["unget", name]);
    });
}

#[test]
fn the_mode_is_that_of_a_new_semaphore() {
    use std::os::unix::fs::PermissionsExt as _;

    for command in [&["get", "-a", "1h"][..], &["run"]] {
        let name = Name::new("mode");
        let end: &[&str] = if command[0] == "run" { &["--", "true"] } else { &[] };
        said(&[command, &["-b", "semaphore", "--mode", "660", &*name], end].concat());
        for file in [format!("/dev/shm/sem.{}", &*name), format!("/dev/shm/{}", &*name)] {
            let mode = std::fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o660);
        }
        let _ = lockattr(&["unget", &name]).output();
    }
}
