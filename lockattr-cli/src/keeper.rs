//! The keeper: a small process that holds a lock for `get` after that has ended. A port lock is held
//! by a process, and a semaphore that is to be given back after a while needs one that does it.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lockattr_runtime::{Backend, Lock};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd;

use crate::cli::Get;
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

/// Starts a keeper, and waits until it holds `lock`.
pub(crate) fn start(get: &Get, lock: &Lock) -> Result<(), Stop> {
    let cannot = |error| Stop::failed(format!("cannot start a keeper: {error}"));
    let mut command = Command::new("/proc/self/exe"); // also where the file has been replaced
    command.arg(COMMAND).args(["--backend", &lock.backend().to_string()]);
    command.args(["--timeout", &written(get.timeout)]);
    if let Some(after) = get.auto_unget {
        command.args(["--auto-unget", &written(after)]);
    }
    if let Some(mode) = get.shared.mode {
        command.args(["--mode", &format!("{mode:o}")]);
    }
    command.arg(format!("--message={}", get.message)).args(["--", lock.name()]);
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

/// Is the keeper: takes the lock, says so on its standard output, and holds it until SIGTERM or until
/// the time is over.
pub(crate) fn keep(get: &Get, backend: Option<Backend>) -> Exit {
    let (exit, message) = match hold(get, backend.unwrap_or(Backend::Port)) {
        Ok(()) => return Exit::Done,
        Err(Stop::With(exit, message)) => (exit, message),
        Err(Stop::ClosedPipe) => return Exit::Failed, // `get` has gone
    };
    let _ = write!(io::stdout(), "{} {message}", exit.code());
    exit
}

fn hold(get: &Get, backend: Backend) -> Result<(), Stop> {
    // Before the lock's library looks, which writes the name into the lock's record.
    prctl::set_name(PROCESS_NAME)?;
    // Whoever started `get` may wait for the end of a pipe of his.
    close_inherited();
    unistd::setsid()?;
    unistd::chdir("/")?;
    // As long as this waits, it goes when `get` goes, as by Ctrl-C.
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    let lock = mode::with(Lock::open(backend, &get.name)?, get.shared.mode)?;
    let guard = lock.with().timeout(get.timeout).info(&get.message).acquire()?;
    prctl::set_pdeathsig(None)?;
    let end = signals::ending()?;
    let until = get.auto_unget.and_then(|after| Instant::now().checked_add(after));
    report::print(HOLDS)?;
    unistd::dup2_stdout(File::open("/dev/null")?)?; // `get` hears that there is no more
    wait_for(&end, until)?;
    drop(guard);
    Ok(())
}

/// Until a signal has come, or the time has.
fn wait_for(signal: &UnixStream, until: Option<Instant>) -> Result<(), Stop> {
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
        match poll(&mut [PollFd::new(signal.as_fd(), PollFlags::POLLIN)], portion) {
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
        && arguments.nth(1) == Some(COMMAND.as_bytes())
        && arguments.next_back() == Some(lock.name().as_bytes())
}
