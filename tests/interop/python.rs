//! The virtual environment with the predecessors, and programs in it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// `resourcelock` is a part of `cjnfuncs`, and uses `posix-ipc`.
const PACKAGES: [&str; 3] = ["k3portlock==0.1.11", "cjnfuncs==3.2.3", "posix-ipc==1.3.2"];

const HAS_PACKAGES: &str = "\
import importlib.metadata, sys
for package in sys.argv[1:]:
    name, version = package.split('==')
    assert importlib.metadata.version(name) == version
";

/// The folder of the programs of an environment that has the predecessors; none if the tests are to be
/// skipped.
fn programs() -> Option<&'static Path> {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();

    if std::env::var_os("LOCKATTR_SKIP_PYTHON").is_some_and(|skip| skip != "0") {
        println!("skipped: LOCKATTR_SKIP_PYTHON is set");
        return None;
    }
    Some(PROGRAMS.get_or_init(|| {
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
        let programs = environment.join("bin");
        let python = programs.join("python");
        if !has_packages(&python) {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES));
            assert!(has_packages(&python), "pip has installed others than {PACKAGES:?}");
        }
        programs
    }))
}

fn has_packages(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", HAS_PACKAGES]).args(PACKAGES).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn run(command: &mut Command) {
    const HINT: &str = "these tests need python3 with venv and pip, and a package index \
                        (Debian: apt install python3-venv); LOCKATTR_SKIP_PYTHON=1 skips them";
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {HINT}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}; {HINT}\n{errors}", output.status);
}

/// A program of the environment, to be run; none if the tests are to be skipped.
pub(crate) fn command(program: &str) -> Option<Command> {
    let programs = programs()?;
    let mut command = Command::new(programs.join("python"));
    if program != "python" {
        // Its first line has the path that Python had when it was installed, and the folder may have been moved.
        command.arg(programs.join(program));
    }
    Some(command)
}

/// A Python process that plays a script of `tests/python/`: one command a line, one answer a line. It is
/// killed when this is dropped.
pub(crate) struct Script {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Script {
    /// None if the tests are to be skipped.
    pub(crate) fn start<A: AsRef<OsStr>>(script: &str, arguments: &[A]) -> Option<Self> {
        let mut process = command("python")?
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Some(Self { process, answers })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.process.stdin.as_ref().unwrap(), "{command}").unwrap();
    }

    /// The next answer; nothing if the process has ended.
    pub(crate) fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answer()
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
