//! What is said on standard error while a lock is waited for, and when it is refused.

mod support;

use support::{lockattr, on_each_backend, refused, Name, Running, Terminal};

#[test]
fn quiet_says_nothing_when_the_lock_is_refused() {
    on_each_backend("quiet", |name, backend| {
        let _holder = Running::holder(name, backend);
        for command in [
            &["run", "-q", "-b", backend, name, "-t", "1.2", "--", "echo", "ran"][..],
            &["run", "-q", "-n", "-E", "1", "-b", backend, name, "--", "echo", "ran"],
            &["get", "-q", "-b", backend, name, "-n"],
        ] {
            lockattr(command).assert().code(1).stdout("").stderr("");
        }
        // What is wrong is said all the same.
        refused(&["run", "-q", name, "-t", "soon", "--", "true"], 2);
    });
}

#[test]
fn a_wait_of_more_than_a_second_is_told_in_one_line_with_the_holder() {
    on_each_backend("tells", |name, backend| {
        let holder = Running::holder(name, backend);
        for command in [
            &["run", "-b", backend, name, "-t", "1.5", "--", "true"][..],
            &["get", "-b", backend, name, "-t", "1.5"],
        ] {
            let said = refused(command, 1);
            let waiting: Vec<_> =
                said.lines().filter(|line| line.contains("waiting for")).collect();
            assert_eq!(waiting.len(), 1, "{said}");
            assert!(waiting[0].contains(&format!("by pid {} ", holder.pid())), "{said}");
        }
        let short = refused(&["run", "-b", backend, name, "-t", "0.2", "--", "true"], 1);
        assert!(!short.contains("waiting for"), "{short}");
    });
}

#[test]
fn on_a_terminal_a_line_shows_the_wait_and_goes_with_it() {
    let name = Name::new("progress");
    let holder = Running::holder(&name, "port");
    let mut run = Terminal::start(&["run", &name, "--", "echo", "it", "ran"]);
    run.until("waiting for");
    run.until(&format!("by pid {} ", holder.pid()));
    run.until("waiting for"); // drawn again
    assert!(holder.end().success());
    run.until("\u{1b}[2K"); // the line is cleared
    run.until("it ran");
    assert!(run.end().success());
}

#[test]
fn on_a_terminal_quiet_shows_nothing() {
    let name = Name::new("quiet-terminal");
    let holder = Running::holder(&name, "port");
    let mut run = Terminal::start(&["run", "-q", &name, "--", "echo", "it", "ran"]);
    support::eventually("it waits", || support::json(&["state", "--json", &name])["waiters"] == 1);
    std::thread::sleep(std::time::Duration::from_millis(1_500)); // longer than what is not spoken of
    assert!(holder.end().success());
    let shown = run.until("it ran");
    assert!(!shown.contains("waiting"), "{shown}");
}

#[test]
fn verbose_says_how_long_it_waited_and_held() {
    let name = Name::new("verbose");
    let run = lockattr(&["run", "-v", &name, "--", "sleep", "0.3"]).assert().success();
    let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(said.starts_with("lockattr: waited 0.") && said.contains("s, held 0."), "{said}");
    refused(&["run", "-q", "-v", &name, "--", "true"], 2);
}
