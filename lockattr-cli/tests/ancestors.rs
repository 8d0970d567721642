//! A lock that a process holds which has started this one.

mod support;

use std::time::{Duration, Instant};

use support::{lockattr, on_each_backend, refused, said, Name, PROGRAM};

#[test]
fn a_lock_that_an_ancestor_holds_is_refused_at_once_and_not_waited_for() {
    on_each_backend("ancestor", |name, backend| {
        for inner in [
            &["run", name, "-b", backend, "--", "echo", "ran"][..],
            &["get", name, "-b", backend, "-t", "none"],
        ] {
            let start = Instant::now();
            let outer = ["run", name, "-b", backend, "--", "sh", "-c", "\"$@\"", "sh", PROGRAM];
            let refusal = refused(&[&outer, inner].concat(), 3);
            assert!(
                refusal.contains("would never end") && refusal.contains("--reenter"),
                "{refusal}"
            );
            assert!(start.elapsed() < Duration::from_secs(30));
        }
        // One that does not wait is only refused.
        refused(
            &[
                "run", name, "-b", backend, "--", PROGRAM, "run", "-n", name, "-b", backend, "--",
                "true",
            ],
            1,
        );
    });
}

#[test]
fn reenter_runs_under_the_hold_of_an_ancestor_and_takes_what_no_ancestor_holds() {
    on_each_backend("reenter", |name, backend| {
        let inner = [PROGRAM, "run", "--reenter", name, "-b", backend, "--", "echo", "ran"];
        let outer = ["run", name, "-b", backend, "--"];
        assert_eq!(said(&[&outer, &inner[..]].concat()), "ran\n");
        assert_eq!(said(&inner[1..]), "ran\n");
        lockattr(&["state", "-q", "-b", backend, name]).assert().code(1);
    });
    let names = [Name::new("reenter-other"), Name::new("reenter-more")];
    let inner = [
        PROGRAM,
        "run",
        "--reenter",
        &names[0],
        &names[1],
        "--",
        PROGRAM,
        "state",
        "-q",
        &names[1],
    ];
    lockattr(&[&["run", &*names[0], "--"], &inner[..]].concat()).assert().code(0);
}
