//! Processes in roles, on every system.

#![allow(dead_code, unreachable_pub)] // each test file is a crate, and uses what it needs

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) const ROLE: &str = "LOCKATTR_TEST_ROLE";
pub(super) const ARGUMENT: &str = "LOCKATTR_TEST_ARGUMENT";
/// By which the test harness runs the role alone.
pub(super) const ROLES: [&str; 4] = ["--exact", "role", "--nocapture", "--test-threads=1"];
/// What tells an actor's lines from those of the test harness.
const MARK: &str = "@ ";

/// Longer than anything here takes on the slowest machine.
pub const LONG: Duration = Duration::from_secs(60);

/// A process in a role. It is killed when this is dropped.
pub struct Actor {
    process: Child,
    lines: BufReader<ChildStdout>,
    input: Option<ChildStdin>,
}

impl Actor {
    /// Starts a process in `role` with `argument`.
    pub fn start(role: &str, argument: &str) -> Self {
        Self::start_under(&[], role, argument)
    }

    /// As [`start`](Self::start), by a program that takes a command to run.
    pub fn start_under(program: &[&str], role: &str, argument: &str) -> Self {
        let this = env::current_exe().unwrap();
        let command = match program {
            [] => Command::new(this),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(this);
                command
            }
        };
        Self::start_by(command, role, argument)
    }

    /// As [`start`](Self::start), in another test binary, which must know the role.
    pub fn start_in(binary: &Path, role: &str, argument: &str) -> Self {
        Self::start_by(Command::new(binary), role, argument)
    }

    fn start_by(mut command: Command, role: &str, argument: &str) -> Self {
        command.args(ROLES).env(ROLE, role).env(ARGUMENT, argument);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let alone = none_starts();
        let mut process = command.spawn().unwrap();
        drop(alone);
        let lines = BufReader::new(process.stdout.take().unwrap());
        let input = process.stdin.take();
        Self { process, lines, input }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next line that the actor says.
    pub fn hear(&mut self) -> String {
        self.try_hear().expect("the actor ended without a word")
    }

    /// The next line that the actor says, none if it ends first.
    pub fn try_hear(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The harness writes "test role ... " and leaves the line open.
            if let Some((_, said)) = line.split_once(MARK) {
                return Some(said.trim_end().to_owned());
            }
        }
    }

    /// The next line must be this one.
    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        assert_eq!(self.hear(), line);
    }

    /// Says a line to the actor.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.input.as_ref().unwrap(), "{line}").unwrap();
    }

    /// SIGKILL, or what Windows has for it, and waits for the end.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGKILL, without waiting.
    pub fn kill_now(&mut self) {
        self.process.kill().unwrap();
    }

    /// Closes the actor's input and waits for its end, which must be a good one.
    pub fn end(mut self) {
        self.input = None;
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success(), "an actor failed with {status}:\n{rest}");
    }

    /// Whether the actor has ended.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().unwrap()
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// No other thread starts an actor meanwhile: until it runs its program it has copies of all that this
/// process has open, and so keeps others out for a moment by what this process has closed.
pub fn none_starts() -> MutexGuard<'static, ()> {
    static STARTING: Mutex<()> = Mutex::new(());
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes `what`, of which no copy stays open in an actor that is being started.
pub fn close<T>(what: T) {
    let _alone = none_starts();
    drop(what);
}

/// A role, with the argument it was started with.
pub type Role = fn(&str);

/// Plays the role that this process was started in, if any.
pub fn play(roles: &[(&str, Role)]) {
    let Ok(name) = env::var(ROLE) else { return };
    let argument = env::var(ARGUMENT).unwrap_or_default();
    // What this process starts in turn is no actor.
    env::remove_var(ROLE);
    // An actor that waits for what never comes ends, and its test fails with it.
    #[cfg(unix)] // where a role may count its threads
    nix::unistd::alarm::set((2 * LONG).as_secs().try_into().unwrap());
    #[cfg(windows)]
    std::thread::spawn(|| {
        std::thread::sleep(2 * LONG);
        std::process::exit(1);
    });
    let (_, role) = roles.iter().find(|(role, _)| *role == name).expect("a known role");
    role(&argument);
}

/// An actor's line to who started it.
pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{MARK}{line}").unwrap();
    out.flush().unwrap();
}

/// The next line from who started this actor, none if there will be none.
pub fn listen() -> Option<String> {
    let mut line = String::new();
    let bytes = io::stdin().lock().read_line(&mut line).unwrap();
    (bytes > 0).then(|| line.trim_end().to_owned())
}

/// Runs `condition` until it is true.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "never happened: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}
