//! The keeper: a small process that holds a lock for `get` after that has ended. A port lock is held
//! by a process, and a semaphore that is to be given back after a while needs one that does it.

use std::env;
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use lockattr_runtime::Lock;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd;

use crate::cli;
use crate::duration;
use crate::exit::{Exit, Stop};
use crate::mode;
use crate::report;
use crate::signals;

/// The command that `get` starts this program again with.
pub(crate) const COMMAND: &str = "__keep";

/// What `ps` and `list` show, and `unget` knows it by: 15 bytes, as many as fit.
const PROCESS_NAME: &CStr = c"lockattr-keeper";

/// What the keeper says to `get` once it holds the lock; all else is an exit code and a message.
const HOLDS: &str = "holds";

/// How a lock is to be held.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) timeout: Duration,
    pub(crate) message: String,
    /// Until this time is over.
    pub(crate) after: Option<Duration>,
    /// Until this process ends.
    pub(crate) pid: Option<u32>,
}

/// The command line of a keeper.
#[derive(Debug, Parser)]
struct Keep {
    #[arg(long)]
    backend: cli::Backend,
    #[arg(long, value_parser = duration::timeout)]
    timeout: Duration,
    #[arg(long, value_parser = duration::span)]
    after: Option<Duration>,
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long, value_parser = mode::mode)]
    mode: Option<u32>,
    #[arg(long)]
    message: String,
    name: String,
}

/// Starts a keeper, and waits until it holds `lock`.
pub(crate) fn start(hold: &Hold, lock: &Lock, mode: Option<u32>) -> Result<(), Stop> {
    let cannot = |error| Stop::failed(format!("cannot start a keeper: {error}"));
    let mut command = Command::new("/proc/self/exe"); // also where the file has been replaced
    command.arg(COMMAND).args(["--backend", &lock.backend().to_string()]);
    command.args(["--timeout", &written(hold.timeout)]);
    if let Some(after) = hold.after {
        command.args(["--after", &written(after)]);
    }
    if let Some(pid) = hold.pid {
        command.args(["--pid", &pid.to_string()]);
    }
    if let Some(mode) = mode {
        command.args(["--mode", &format!("{mode:o}")]);
    }
    command.arg(format!("--message={}", hold.message)).args(["--", lock.name()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut keeper = command.spawn().map_err(cannot)?;
    let mut answer = String::new();
    if let Some(mut output) = keeper.stdout.take() {
        output.read_to_string(&mut answer).map_err(cannot)?;
    }
    if answer == HOLDS {
        return Ok(());
    }
    // It ends, and is nobody's to wait for afterwards.
    keeper.wait().map_err(cannot)?;
    Err(match answer.split_once(' ').and_then(|(code, said)| Some((code.parse().ok()?, said))) {
        Some((code, said)) => Stop::With(Exit::Other(code), said.to_owned()),
        None => Stop::failed("the keeper ended without a word"),
    })
}

/// A duration for the command line of the keeper.
fn written(duration: Duration) -> String {
    match u64::try_from(duration.as_nanos()) {
        Ok(nanos) => format!("{nanos}ns"),
        Err(_) => "none".to_owned(), // some centuries
    }
}

/// Is the keeper: takes the lock, says so on its standard output, and holds it until SIGTERM, or until
/// the time is over or the process has ended.
pub(crate) fn keep() -> Exit {
    let keep = Keep::parse_from(env::args_os().skip(1));
    let (exit, message) = match hold(&keep) {
        Ok(()) => return Exit::Done,
        Err(Stop::With(exit, message)) => (exit, message),
        Err(Stop::Silent(exit)) => return exit,
        Err(Stop::ClosedPipe) => return Exit::Failed, // `get` has gone
    };
    let _ = write!(io::stdout(), "{} {message}", exit.code());
    exit
}

fn hold(keep: &Keep) -> Result<(), Stop> {
    // Before the lock's library looks, which writes the name into the lock's record.
    prctl::set_name(PROCESS_NAME)?;
    // The one that started `get` may wait for the end of a pipe of its own.
    close_inherited();
    signals::survive_limits()?;
    unistd::setsid()?;
    unistd::chdir("/")?;
    // As long as this waits, it goes when `get` goes, as by Ctrl-C.
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    // Before the lock is taken: the pid may be another process's afterwards.
    let process = keep.pid.map(Watched::new).transpose()?;
    let lock = mode::with(Lock::open(keep.backend.into(), &keep.name)?, keep.mode)?;
    let guard = lock.with().timeout(keep.timeout).info(&keep.message).acquire()?;
    prctl::set_pdeathsig(None)?;
    let end = signals::ending()?;
    let until = keep.after.and_then(|after| Instant::now().checked_add(after));
    report::print(HOLDS)?;
    unistd::dup2_stdout(File::open("/dev/null")?)?; // `get` hears that there is no more
    wait_for(&end, process.as_ref(), until)?;
    drop(guard);
    Ok(())
}

/// A process whose end is waited for.
struct Watched(OwnedFd);

impl Watched {
    fn new(pid: u32) -> Result<Self, Stop> {
        let number = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
        let number = number.ok_or_else(|| Stop::usage("`--pid`: write it as a number"))?;
        let flags = rustix::process::PidfdFlags::empty();
        rustix::process::pidfd_open(number, flags).map(Self).map_err(|error| {
            Stop::failed(format!("`--pid`: cannot wait for the end of process {pid}: {error}"))
        })
    }
}

/// Until a signal has come, the process has ended, or the time has come.
fn wait_for(
    signal: &UnixStream,
    process: Option<&Watched>,
    until: Option<Instant>,
) -> Result<(), Stop> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(());
        }
        // No earlier than it is time, and in portions that fit.
        let portion = left.map_or(PollTimeout::NONE, |left| {
            let millis = left.as_millis().saturating_add(1);
            i32::try_from(millis)
                .ok()
                .and_then(|millis| millis.try_into().ok())
                .unwrap_or(PollTimeout::MAX)
        });
        let awaited = [signal.as_fd()].into_iter().chain(process.map(|process| process.0.as_fd()));
        let mut awaited: Vec<_> = awaited.map(|one| PollFd::new(one, PollFlags::POLLIN)).collect();
        match poll(&mut awaited, portion) {
            Ok(0) | Err(nix::Error::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn close_inherited() {
    let Ok(open) = fs::read_dir("/proc/self/fd") else { return };
    let open = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    // Collected first: the folder that is being read is one of them, and closed by then.
    for descriptor in open.collect::<Vec<_>>() {
        if descriptor > 2 {
            let _ = unistd::close(descriptor);
        }
    }
}

/// Whether the process `pid` is a keeper of `lock`, as far as it says so itself.
pub(crate) fn is_keeper(pid: u32, lock: &Lock) -> bool {
    let says = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = says("cmdline");
    let mut arguments = line.strip_suffix(b"\0").unwrap_or_default().split(|&byte| byte == 0);
    says("comm").trim_ascii_end() == PROCESS_NAME.to_bytes()
        // Behind the program's name, and that of an emulator.
        && arguments.any(|argument| argument == COMMAND.as_bytes())
        && arguments.next_back() == Some(lock.name().as_bytes())
}
