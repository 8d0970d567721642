//! The workers that are built into the bench obey each order.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use lockattr_bench_contender::clock;

/// A worker of a contender, with a lock and a folder of this test's own.
struct Worker {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(contender: &str, name: &str, folder: &std::path::Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lockattr-bench"))
            .args(["work", contender, name])
            .env("TMPDIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut worker = Self { process, answers };
        assert_eq!(worker.answer(), "ok ready", "{contender}");
        worker
    }

    fn tell(&mut self, order: &str) {
        writeln!(self.process.stdin.as_ref().unwrap(), "{order}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, order: &str) -> String {
        self.tell(order);
        self.answer()
    }

    /// The numbers of an answer.
    fn numbers(&mut self, order: &str) -> Vec<u64> {
        let answer = self.ask(order);
        let numbers = answer.strip_prefix("ok ").unwrap_or_else(|| panic!("{order}: {answer}"));
        numbers.split(' ').map_while(|number| number.parse().ok()).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Removes what lockattr leaves of a lock.
struct Name(String);

impl Name {
    fn new(contender: &str) -> Self {
        Self(format!("bench-test-{}-{contender}", std::process::id()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with(&self.0) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

#[test]
fn a_worker_is_excluded_while_another_holds_and_then_gets_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    for contender in ["port", "semaphore", "raw-flock", "std-file", "raw-semaphore"] {
        let name = Name::new(contender);
        let mut holder = Worker::start(contender, &name.0, folder.path());
        let mut waiter = Worker::start(contender, &name.0, folder.path());
        assert_eq!(holder.ask("hold"), "ok holding");
        waiter.tell("wait 60000000000");
        let [begun, ended] = holder.numbers("release")[..] else { panic!("{contender}") };
        let [entered] = waiter_numbers(&mut waiter)[..] else { panic!("{contender}") };
        assert!(begun <= ended && begun <= entered, "{contender}: {begun} {ended} {entered}");
    }
}

fn waiter_numbers(waiter: &mut Worker) -> Vec<u64> {
    waiter.answer().trim_start_matches("ok ").split(' ').map(|it| it.parse().unwrap()).collect()
}

#[test]
fn a_lock_with_a_timeout_says_that_it_timed_out() {
    let folder = tempfile::tempdir().unwrap();
    for contender in ["port", "semaphore", "raw-semaphore"] {
        let name = Name::new(&format!("timeout-{contender}"));
        let mut holder = Worker::start(contender, &name.0, folder.path());
        let mut waiter = Worker::start(contender, &name.0, folder.path());
        assert_eq!(holder.ask("hold"), "ok holding");
        assert_eq!(waiter.ask("wait 1000000"), "ok timeout", "{contender}");
    }
}

#[test]
fn each_contender_makes_pairs() {
    let folder = tempfile::tempdir().unwrap();
    for contender in ["port", "semaphore", "std-file", "raw-flock", "raw-socket", "raw-semaphore"] {
        let name = Name::new(&format!("pairs-{contender}"));
        let mut worker = Worker::start(contender, &name.0, folder.path());
        assert!(worker.numbers("pairs 10")[0] > 0, "{contender}");
    }
}

#[test]
fn a_worker_that_contends_counts_what_it_got() {
    let folder = tempfile::tempdir().unwrap();
    let name = Name::new("contends");
    let mut worker = Worker::start("semaphore", &name.0, folder.path());
    // From now on, for 200 ms, with holds of 1 ms.
    let [got, timeouts, _processor, longest] =
        worker.numbers(&format!("contend {} 5000000 200000000 1000000 0", clock::now()))[..]
    else {
        panic!("four numbers, and then pairs")
    };
    assert!((1..=200).contains(&got), "{got}");
    assert_eq!(timeouts, 0);
    assert!(longest > 0);
}

#[test]
fn a_crowd_waits_and_each_of_it_has_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let name = Name::new("crowd");
    let mut holder = Worker::start("port", &name.0, folder.path());
    let mut crowd = Worker::start("port", &name.0, folder.path());
    assert_eq!(holder.ask("hold"), "ok holding");
    assert_eq!(crowd.ask("crowd 5"), "ok waiting");
    let begun = holder.numbers("release")[0];
    assert!(waiter_numbers(&mut crowd)[0] >= begun);
}

#[test]
fn threads_count_their_pairs_together() {
    let folder = tempfile::tempdir().unwrap();
    let name = Name::new("threads");
    let mut worker = Worker::start("raw-flock", &name.0, folder.path());
    let [pairs, time] = worker.numbers("threads 3 1000000")[..] else { panic!("two numbers") };
    assert!(pairs > 0 && time >= 1_000_000, "{pairs} {time}");
}

#[test]
fn what_is_no_order_is_an_error_and_the_worker_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::start("raw-flock", "bench-test-orders", folder.path());
    assert_eq!(worker.ask("dance"), "error no order is \"dance\"");
    assert!(worker.ask("pairs 1").starts_with("ok "));
}

#[test]
fn a_contender_that_is_not_known_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_lockattr-bench"))
        .args(["work", "lockfile", "name"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "error no contender is called lockfile\n");
}
