//! Which backend a command takes.

mod support;

use lockattr_runtime::Backend;
use support::{lockattr, refused, said, Name, Running};

#[test]
fn what_a_command_takes_does_not_depend_on_a_leftover_semaphore() {
    let name = Name::new("leftover");
    lockattr(&["run", "-b", "semaphore", &name, "--", "true"]).assert().success();
    assert!(said(&["state", &name]).contains("(semaphore)"), "looking still guesses");
    let _holder = name.lock(Backend::Port).try_acquire().unwrap();
    refused(&["run", &name, "-t", "0", "--", "echo", "ran"], 1);
    refused(&["get", &name, "-t", "0"], 1);
}

#[test]
fn a_name_held_under_the_other_backend_is_refused_at_once_and_the_holder_is_named() {
    for (held, wanted) in [("semaphore", "port"), ("port", "semaphore")] {
        let name = Name::new("other");
        let holder = Running::holder(&name, held);
        for command in [
            &["run", &*name, "-b", wanted, "--", "echo", "ran"][..],
            &["get", &*name, "-b", wanted],
        ] {
            let refusal = refused(command, 3);
            assert!(refusal.contains(&format!("by pid {} ", holder.pid())), "{refusal}");
            assert!(refusal.contains(&format!("under the {held} backend")), "{refusal}");
        }
        assert!(holder.end().success());
        lockattr(&["run", &name, "-b", wanted, "--", "true"]).assert().success();
    }
}
