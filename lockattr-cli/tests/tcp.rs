//! TCP locks on the command line: they are found without `-b`, by their records.

mod support;

use lockattr_runtime::Backend;
use support::{eventually, json, lockattr, refused, said, Name, Running};

#[test]
fn a_held_lock_is_found_without_its_backend_and_its_holder_shown() {
    let name = Name::new("tcp-found");
    let holder = Running::holder(&name, "tcp");
    for arguments in [&["state", &*name][..], &["list", &*name]] {
        let shown = said(arguments);
        assert!(shown.contains("tcp") && shown.contains(&holder.pid().to_string()), "{shown}");
    }
    let state = json(&["state", "--json", &name]);
    assert_eq!((&state["backend"], &state["locked"]), (&"tcp".into(), &true.into()));
    assert_eq!(state["holder"]["pid"], holder.pid());
    assert_eq!(state["holder"]["info"], "the test's holder");
    refused(&["run", "-b", "tcp", &name, "-t", "0", "--", "true"], 1);
    let complaint = refused(&["unget", &name], 3);
    assert!(complaint.contains("only the holder can let go of such a lock"), "{complaint}");
    assert!(holder.end().success());
    // Free, it is history.
    assert!(!said(&["list", &name]).contains(&*name));
    assert!(said(&["list", "--all", &name]).contains(&*name));
    assert!(said(&["state", &name]).contains("(tcp): free"));
}

#[test]
fn a_name_that_is_held_as_a_port_and_by_tcp_is_asked_back_for() {
    let name = Name::new("tcp-twice");
    let _guard = name.lock(Backend::Tcp).try_acquire().unwrap();
    let port = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    port.bind(&socket2::SockAddr::unix(format!("\0/portlock/{}", &*name)).unwrap()).unwrap();
    let complaint = refused(&["state", &name], 2);
    assert!(complaint.contains("`-b tcp`"), "{complaint}");
    assert!(said(&["state", "-b", "tcp", &name]).contains("(tcp): held"));
}

#[test]
fn what_get_took_is_given_back_by_unget_or_by_killing_its_holder() {
    let name = Name::new("tcp-get");
    lockattr(&["get", "-b", "tcp", &name]).assert().success();
    lockattr(&["state", "-q", &name]).assert().code(0);
    lockattr(&["unget", &name]).assert().success();
    eventually("it is free", || json(&["state", "--json", &name])["locked"] == false);

    let holder = Running::holder(&name, "tcp");
    lockattr(&["unget", "--kill", &name]).assert().success();
    assert!(!holder.end().success());
}

#[test]
fn an_inherited_lock_is_held_until_the_command_has_ended() {
    let name = Name::new("tcp-inherit");
    let script = "sleep 1000 >/dev/null 2>&1 & echo $!";
    let child = said(&["run", "-b", "tcp", "--inherit", &name, "--", "sh", "-c", script]);
    let child: i32 = child.trim().parse().unwrap();
    assert_eq!(json(&["state", "--json", &name])["holder"]["tenure"], "kept");
    let mut waiter = Running::waiter(&name, "tcp");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
    assert_eq!(waiter.hear(), "acquired");
    assert!(waiter.end().success());
}

#[test]
fn clean_removes_the_record_of_a_free_lock_and_leaves_a_held_one_alone() {
    let name = Name::new("tcp-clean");
    let holder = Running::holder(&name, "tcp");
    let told = refused(&["clean", &name], 3);
    assert!(told.contains("1 in use"), "{told}");
    assert!(name.has_files());
    assert!(holder.end().success());
    lockattr(&["clean", &name]).assert().success();
    assert!(!name.has_files());
}
