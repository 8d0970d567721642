//! resourcelock's own demonstration, "demo-resourcelock", step by step on one lock: once done by the
//! real package, and once by `lockattr`. After each step both programs must see the same.

mod support;

#[allow(dead_code)] // the interop tests use more of it
#[path = "../../tests/interop/python.rs"]
mod python;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use support::{lockattr, refused, said, Name};

/// What each of the ten steps leaves behind: whether the lock is taken.
const TAKEN: [bool; 10] = [false, false, true, true, true, false, false, true, false, false];

/// Whether the lock is taken, as both programs see it.
#[track_caller]
fn assert_taken(name: &str, is_taken: bool, step: usize) {
    lockattr(&["state", "-q", "-b", "semaphore", name]).assert().code(i32::from(!is_taken));
    let seen = resourcelock(&[name, "state"]);
    let expected = if is_taken { "<True>" } else { "<False>" };
    assert!(seen.contains(&format!("Currently locked: {expected}")), "step {step}: {seen}");
}

/// What the predecessor's command says.
fn resourcelock(arguments: &[&str]) -> String {
    let mut command = python::command("resourcelock").expect("it was there before");
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_the_predecessor_does_lockattr_sees() {
    const SCRIPT: &str = "\
import sys
from cjnfuncs.resourcelock import resource_lock
lock = resource_lock(sys.argv[1])
for line in sys.stdin:
    print(eval(line), flush=True)
";
    const STEPS: [(&str, &str); 10] = [
        ("lock.lockname[1:] == sys.argv[1]", "True"),
        ("lock.is_locked()", "False"),
        ("lock.get_lock(timeout=0.1, lock_info='Lock in test #2')", "True"),
        ("lock.get_lock(timeout=0.1, lock_info='Lock try in test #3')", "False"),
        (
            "lock.get_lock(timeout=0.1, same_process_ok=True, lock_info='Lock try in test #4')",
            "True",
        ),
        ("lock.unget_lock(where_called='In test #5')", "True"),
        ("lock.unget_lock(where_called='In test #6')", "False"),
        (
            "lock.get_lock(timeout=0.1, lock_info='Lock in test #7') \
             and setattr(lock, 'I_have_the_lock', False) or lock.unget_lock()",
            "False",
        ),
        ("lock.unget_lock(force=True, where_called='In test #8')", "True"),
        ("lock.unget_lock(force=True, where_called='In test #9')", "False"),
    ];

    let name = Name::new("demo-python");
    let Some(mut python) = python::command("python") else { return };
    let mut python = python
        .args(["-c", SCRIPT, &*name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(python.stdout.take().unwrap());
    for (step, (command, expected)) in STEPS.into_iter().enumerate() {
        writeln!(python.stdin.as_ref().unwrap(), "{command}").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), expected, "step {step}");
        assert_taken(&name, TAKEN[step], step);
        if TAKEN[step] {
            let shown = said(&["state", "-b", "semaphore", &name]);
            let text = if step == 7 { "Lock in test #7" } else { "Lock in test #2" };
            assert!(shown.contains(text), "step {step}: {shown}");
        }
    }
    drop(python.stdin.take());
    python.wait().unwrap();
}

fn get<'a>(name: &'a str, message: &'a str) -> [&'a str; 8] {
    ["get", "-b", "semaphore", name, "-t", "0.1", "-m", message]
}

#[test]
fn what_lockattr_does_the_predecessor_sees() {
    let name = Name::new("demo-lockattr");
    if python::command("resourcelock").is_none() {
        return;
    }
    let unget = ["unget", "-b", "semaphore", &name];
    let force = ["unget", "-b", "semaphore", &name, "--force"];
    for (step, is_taken) in TAKEN.into_iter().enumerate() {
        match step {
            0 => assert!(!name.has_files(), "nothing is made by looking"),
            // A second time as the holder, step 4, is for a program: `Acquire::reentrant`.
            1 | 4 => {}
            2 => drop(said(&get(&name, "Lock in test #2"))),
            3 => {
                let complaint = refused(&get(&name, "Lock try in test #3"), 1);
                assert!(complaint.contains("Lock in test #2"), "{complaint}");
                let shown = resourcelock(&[&name, "state"]);
                assert!(shown.contains("- Lock in test #2>"), "{shown}");
            }
            5 => drop(said(&unget)),
            6 => drop(refused(&unget, 1)),
            7 => {
                // Somebody else's.
                resourcelock(&[&name, "get", "-m", "Lock in test #7"]);
                let complaint = refused(&unget, 3);
                assert!(complaint.contains("Lock in test #7"), "{complaint}");
            }
            8 => drop(said(&force)),
            _ => drop(refused(&force, 1)),
        }
        assert_taken(&name, is_taken, step);
    }
}
