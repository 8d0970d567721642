//! Tests with the real program. Who holds a lock is another process of it: it says so over a pipe.

#![allow(dead_code, unreachable_pub)] // each test file is a crate, and uses what it needs

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::ops::Deref;
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use lockattr_runtime::{Backend, Lock};
use nix::poll::{poll, PollFd, PollFlags};
use nix::pty::{openpty, Winsize};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::Value;

/// Longer than anything here takes on the slowest machine.
pub const LONG: Duration = Duration::from_secs(60);

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_lockattr");

/// A lock's name that no other test and no other run uses. What is left of it goes with it.
pub struct Name(String);

impl Name {
    pub fn new(what: &str) -> Self {
        static NAMES: AtomicU32 = AtomicU32::new(0);
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        Self(format!("cli-{what}-{}-{number}", std::process::id()))
    }

    /// One that has as many bytes as a port lock's can have.
    pub fn longest() -> Self {
        let name = Self::new("longest");
        Self(format!("{}{}", &*name, "n".repeat(97 - name.len())))
    }

    pub fn lock(&self, backend: Backend) -> Lock {
        Lock::open(backend, self).unwrap()
    }

    /// Whether anything is left of it in shared memory.
    pub fn has_files(&self) -> bool {
        self.files().iter().any(|file| fs::symlink_metadata(file).is_ok())
    }

    fn files(&self) -> [String; 4] {
        let record = format!("lockattr.{}.{}", nix::unistd::geteuid(), self.0);
        let of_tcp = format!("{record}%00tcp");
        [&*self.0, &format!("sem.{}", self.0), &record, &of_tcp]
            .map(|file| format!("/dev/shm/{file}"))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::ffi::OsStr> for Name {
    fn as_ref(&self) -> &std::ffi::OsStr {
        self.0.as_ref()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        for file in self.files() {
            let _ = fs::remove_file(file);
        }
    }
}

/// Runs `test` with a lock of each backend that there is: lockattr shares glibc's semaphores.
pub fn on_each_backend(what: &str, test: impl Fn(&Name, &str)) {
    let backends = if cfg!(target_env = "gnu") { &["port", "semaphore"][..] } else { &["port"] };
    for backend in backends {
        test(&Name::new(what), backend);
    }
}

/// The program, about to be run with `arguments`.
pub fn lockattr(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(arguments).timeout(LONG);
    command
}

/// What the program says, which must end well.
#[track_caller]
pub fn said(arguments: &[&str]) -> String {
    let output = lockattr(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

/// What the program says where it fails with `code`.
#[track_caller]
pub fn refused(arguments: &[&str], code: i32) -> String {
    let output = lockattr(arguments).assert().code(code).get_output().clone();
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// What the program says as JSON.
#[track_caller]
pub fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&said(arguments)).unwrap()
}

/// A process that is killed when this is dropped, and what it says.
pub struct Running {
    pub process: Child,
    lines: BufReader<ChildStdout>,
    input: Option<ChildStdin>,
}

impl Running {
    /// Starts the program.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_command(Command::new(PROGRAM).args(arguments))
    }

    pub fn start_command(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let input = process.stdin.take();
        Self { process, lines, input }
    }

    /// A process of the program that holds the lock `name`, and says it does.
    pub fn holder(name: &str, backend: &str) -> Self {
        let mut holder = Self::start(&[
            "run",
            "-b",
            backend,
            name,
            "-m",
            "the test's holder",
            "--",
            "sh",
            "-c",
            "echo holding; exec cat",
        ]);
        assert_eq!(holder.hear(), "holding");
        holder
    }

    /// A process of the program that waits for the lock `name`.
    pub fn waiter(name: &str, backend: &str) -> Self {
        Self::start(&["run", "-b", backend, name, "--", "echo", "acquired"])
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next line that it says; empty if it says no more.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.input.as_ref().unwrap(), "{line}").unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().try_into().unwrap()), signal).unwrap();
    }

    /// Closes its input, and waits for its end.
    pub fn end(mut self) -> ExitStatus {
        self.input = None;
        self.process.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A process on a terminal of its own.
pub struct Terminal {
    pub process: Child,
    pty: File,
    shown: String,
}

impl Terminal {
    /// Starts the program as the first process of a session whose terminal this is.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_under(&[], arguments)
    }

    /// As [`start`](Self::start), by a program that takes a command to run.
    pub fn start_under(program: &[&str], arguments: &[&str]) -> Self {
        Self::start_program(&[program, &[PROGRAM], arguments].concat())
    }

    /// Starts another program.
    pub fn start_program(command: &[&str]) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 160, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let end = || pty.slave.try_clone().unwrap();
        let process = Command::new("setsid")
            .arg("--ctty")
            .args(command)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        Self { process, pty: pty.master.into(), shown: String::new() }
    }

    /// Reads what is shown until it contains `text`; all of it since the last call.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some(begin) = self.shown.find(text) {
                let rest = self.shown.split_off(begin + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            assert!(start.elapsed() < LONG, "{text:?} is not in {:?}", self.shown);
            let mut there_is = [PollFd::new(self.pty.as_fd(), PollFlags::POLLIN)];
            if poll(&mut there_is, 100_u16) == Ok(0) {
                continue;
            }
            let mut bytes = [0; 4096];
            let count = self.pty.read(&mut bytes).expect("the terminal is still in use");
            self.shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    /// Types on the keyboard.
    pub fn press(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).unwrap();
    }

    pub fn end(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `condition` until it is true.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "never happened: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A semaphore with the text that a resourcelock program leaves which has it.
pub fn make_foreign_semaphore(name: &Name, text: &str) {
    // glibc's `sem_t`, with no unit left; and a page that begins with the text.
    let semaphore = vec![0; std::mem::size_of::<nix::libc::sem_t>()];
    fs::write(format!("/dev/shm/sem.{}", &**name), semaphore).unwrap();
    let mut page = text.as_bytes().to_vec();
    page.resize(4096, 0);
    fs::write(format!("/dev/shm/{}", &**name), page).unwrap();
}
