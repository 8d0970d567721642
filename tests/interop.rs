//! The Python predecessor on the same locks: `k3portlock`, the real package.
//!
//! The package is installed from PyPI into a virtual environment under `target/`. Where that cannot
//! be, these tests fail and say what is missing; `LOCKATTR_SKIP_PYTHON=1` skips them, and says so.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use lockattr::{KnownBy, LockError};
use support::{open, say, unique_name, Actor, LONG};

#[test]
fn role() {
    support::play(&[("contend", contend)]);
}

/// The interpreter of an environment that has the predecessor; none if the tests are to be skipped.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();

    if std::env::var_os("LOCKATTR_SKIP_PYTHON").is_some_and(|skip| skip != "0") {
        println!("skipped: LOCKATTR_SKIP_PYTHON is set");
        return None;
    }
    Some(PYTHON.get_or_init(|| {
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
        let python = environment.join("bin/python");
        let has_package = |python: &Path| {
            let mut command = Command::new(python);
            command.args([
                "-c",
                "import importlib.metadata as m; m.version('k3portlock') == '0.1.11' or exit(1)",
            ]);
            command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        if !has_package(&python) {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
            run(Command::new(&python).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "k3portlock==0.1.11",
            ]));
        }
        python
    }))
}

fn run(command: &mut Command) {
    const HINT: &str = "these tests need python3 with venv and pip, and a package index \
                        (Debian: apt install python3-venv); LOCKATTR_SKIP_PYTHON=1 skips them";
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {HINT}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}; {HINT}\n{errors}", output.status);
}

/// A Python process that uses `k3portlock`.
struct Portlock {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Portlock {
    fn start() -> Option<Self> {
        let mut process = Command::new(python()?)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/portlock.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Some(Self { process, answers })
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.process.stdin.as_ref().unwrap(), "{command}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answer()
    }
}

impl Drop for Portlock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_python_holds_is_refused_and_python_named() {
    let Some(mut portlock) = Portlock::start() else {
        return;
    };
    let name = unique_name("python-holds");
    let lock = open(&name);
    assert_eq!(portlock.ask(&format!("acquire {name} 1")), "acquired");
    assert!(lock.is_locked().unwrap());

    for timeout in [Duration::from_millis(50), Duration::ZERO] {
        let error = lock.acquire(timeout).unwrap_err();
        let LockError::Timeout { holder: Some(holder), .. } = &error else { panic!("{error:?}") };
        assert_eq!(holder.pid, Some(portlock.process.id()));
        assert_eq!(holder.known_by, KnownBy::Proc);
        assert!(error.to_string().contains("(python"), "{error}");
    }

    assert_eq!(portlock.ask(&format!("release {name}")), "released");
    drop(lock.try_acquire().unwrap());
    assert!(!lock.is_locked().unwrap());
}

#[test]
fn what_rust_holds_python_waits_for() {
    let Some(mut portlock) = Portlock::start() else {
        return;
    };
    let name = unique_name("rust-holds");
    let guard = open(&name).acquire(LONG).unwrap();
    assert_eq!(portlock.ask(&format!("acquire {name} 0.05")), "timeout");
    portlock.tell(&format!("acquire {name} 60"));
    drop(guard);
    assert_eq!(portlock.answer(), "acquired");
    assert!(open(&name).try_acquire().is_err());
}

#[test]
fn a_waiter_has_the_lock_when_python_releases_or_dies() {
    let name = unique_name("python-ends");
    for dies in [false, true] {
        let Some(mut portlock) = Portlock::start() else {
            return;
        };
        assert_eq!(portlock.ask(&format!("acquire {name} 60")), "acquired");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| open(&name).acquire(LONG).map(drop));
            if dies {
                portlock.process.kill().unwrap();
            } else {
                assert_eq!(portlock.ask(&format!("release {name}")), "released");
            }
            waiter.join().unwrap().unwrap();
        });
    }
}

const ROUNDS: u32 = 400;

fn contend(argument: &str) {
    let (name, path) = argument.split_once(' ').unwrap();
    let lock = open(name);
    for _ in 0..ROUNDS {
        let guard = lock.acquire(LONG).unwrap();
        let count: u32 = std::fs::read_to_string(path).unwrap().parse().unwrap();
        std::fs::write(path, (count + 1).to_string()).unwrap();
        drop(guard);
        // The hand-off never frees the name while somebody queues, so one that polls would come
        // last: let it have its turns.
        std::thread::sleep(Duration::from_micros(300));
    }
    say("done");
}

#[test]
fn two_and_two_never_meet() {
    let (Some(one), Some(other)) = (Portlock::start(), Portlock::start()) else {
        return;
    };
    let name = unique_name("mixed");
    let path = std::env::temp_dir().join(&name);
    std::fs::write(&path, "0").unwrap();
    let argument = format!("{name} {}", path.display());
    let mut portlocks = [one, other];
    for portlock in &mut portlocks {
        portlock.tell(&format!("contend {argument} {ROUNDS}"));
    }
    let actors = [(); 2].map(|()| Actor::start("contend", &argument));
    for mut actor in actors {
        actor.expect("done");
        actor.end();
    }
    for portlock in &mut portlocks {
        assert_eq!(portlock.answer(), "done");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), (4 * ROUNDS).to_string());
    std::fs::remove_file(path).unwrap();
}
