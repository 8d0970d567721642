//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};

use crate::{complete, duration, exit, mode, report};

/// Every lock on the machine at a glance, and locks for shell scripts.
#[derive(Debug, Parser)]
#[command(name = "lockattr", version, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How the lock excludes others [default: port, to take it; to look, as NAME is held or exists]
    #[arg(short, long, global = true, value_enum)]
    pub(crate) backend: Option<Backend>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Backend {
    /// A unix socket, as k3portlock's
    Port,
    /// A POSIX semaphore, as resourcelock's
    Semaphore,
    /// Two of three TCP ports, as k3portlock's where it has no unix socket
    Tcp,
}

impl From<Backend> for lockattr_runtime::Backend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Port => Self::Port,
            Backend::Semaphore => Self::Semaphore,
            Backend::Tcp => Self::Tcp,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the locks of this machine, with holder, call site and queue
    ///
    /// A semaphore is there as long as the machine runs, taken or free. A port lock is there while
    /// a process has it; what is left of it is a record, which --all shows.
    #[command(after_help = exit::HELP, after_long_help = report::json_help())]
    List(List),
    /// Shows one lock; creates nothing
    #[command(after_help = exit::HELP, after_long_help = report::json_help())]
    State(State),
    /// Takes a lock, and leaves it taken when this command ends, until `unget`
    #[command(after_help = exit::HELP)]
    Get(Get),
    /// Gives back what `get` took
    #[command(after_help = exit::HELP)]
    Unget(Unget),
    /// Runs a command while holding locks, as flock(1) does, and ends with its status
    ///
    /// The command inherits nothing of the locks: they are given back when it ends, whatever it leaves
    /// running. If `lockattr` itself is killed, its command is killed with it (not what that one has started,
    /// and not a setuid program such as `sudo`). --inherit leaves the lock to the command and all its children
    /// instead, as flock(1) does.
    #[command(after_help = exit::HELP,
              override_usage = "lockattr run [OPTIONS] NAME... -- COMMAND...\n       \
                                lockattr run [OPTIONS] NAME... -c LINE")]
    Run(Run),
    /// Waits until a lock is free, without taking it
    ///
    /// Where others queue for it, that is when the last of them has given it back. By the time the next command
    /// runs it may be taken again: to work under the lock, use `run`.
    #[command(after_help = exit::HELP)]
    Wait(Wait),
    /// Shows every change as it happens, until Ctrl-C
    ///
    /// The release of a port lock is seen at once, all else at the next look. What came and went in between is
    /// counted by the records of lockattr's programs, and told as `missed`.
    #[command(after_help = exit::HELP, after_long_help = report::trace_help())]
    Trace(Trace),
    /// Shows the locks of this machine, again and again, until `q`
    ///
    /// As `list`, where there is no terminal.
    #[command(after_help = exit::HELP)]
    Watch(Watch),
    /// Removes the records of free port locks, and free semaphores
    ///
    /// Each lock is taken for that, so what is in use is left alone. Programs of lockattr that have a removed
    /// semaphore open make a new one by themselves. An idle program of resourcelock's that has it open does not
    /// notice: it times out until it opens the lock anew.
    #[command(after_help = exit::HELP)]
    Clean(Clean),
    /// Writes a completion script for a shell
    ///
    /// For bash: `source <(lockattr completions bash)`. NAME completes to the locks that there are.
    #[command(after_help = exit::HELP)]
    Completions {
        /// Which one
        shell: complete::Shell,
    },
    /// Writes a page for man(1): that of `lockattr`, or of one of its commands
    #[command(after_help = exit::HELP)]
    Man {
        /// The command
        command: Option<String>,
        /// Writes all pages into this folder
        #[arg(long, value_name = "DIR", conflicts_with = "command",
              value_hint = clap::ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// NAME completes to the locks that there are.
fn names() -> ArgValueCandidates {
    ArgValueCandidates::new(complete::locks)
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only locks of these names; `*` stands for any text, `?` for one character
    #[arg(value_name = "PATTERN", add = names())]
    pub(crate) patterns: Vec<String>,
    /// As a JSON array
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) scope: Scoped,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Only locks of these names; `*` stands for any text, `?` for one character
    #[arg(value_name = "PATTERN", add = names())]
    pub(crate) patterns: Vec<String>,
    /// Looks this often
    #[arg(short, long, value_name = "DURATION", default_value = "500ms",
          value_parser = duration::interval)]
    pub(crate) update: Duration,
    #[command(flatten)]
    pub(crate) scope: Scoped,
}

/// Which locks are shown.
#[derive(Debug, Args)]
pub(crate) struct Scoped {
    /// Also the records that free port locks have left; and how much memory they take
    #[arg(short, long, conflicts_with = "held")]
    pub(crate) all: bool,
    /// Only what is taken
    #[arg(long)]
    pub(crate) held: bool,
}

#[derive(Debug, Args)]
pub(crate) struct State {
    /// The lock
    #[arg(add = names(), required_unless_present = "device")]
    pub(crate) name: Option<String>,
    /// In place of NAME: the lock of the device that PATH leads to, and who locks it in other ways (flock(2), UUCP)
    #[arg(long, value_name = "PATH", conflicts_with = "name",
          value_hint = clap::ValueHint::AnyPath)]
    pub(crate) device: Option<PathBuf>,
    /// Says nothing, and exits with 0 if it is taken, 1 if it is free
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// As a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// With whom a lock is shared.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// Who may use the semaphore: 660 its group, 666 everybody; also whose files it may be, beside this
    /// user's and root's [default: 600, this user alone]
    #[arg(long, value_name = "MODE", value_parser = mode::mode)]
    pub(crate) mode: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The lock
    #[arg(add = names())]
    pub(crate) name: String,
    /// How long to wait: `2s`, `500ms`, seconds, `none` or `-1` for ever
    #[arg(short, long, value_name = "DURATION", default_value = "0.5", visible_short_alias = 'w',
          allow_hyphen_values = true, value_parser = duration::timeout)]
    pub(crate) timeout: Duration,
    /// Does not wait, as `-t 0`
    #[arg(short, long, conflicts_with = "timeout")]
    pub(crate) nonblock: bool,
    /// What others see as the place where it was taken [default: by which process]
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Gives it back after this time
    #[arg(short, long, value_name = "DURATION", value_parser = duration::span)]
    pub(crate) auto_unget: Option<Duration>,
    /// Gives it back when this process ends; in a script `--pid $$`
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,
    /// Says nothing if the lock is refused, nor while it waits
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

#[derive(Debug, Args)]
pub(crate) struct Unget {
    /// The lock
    #[arg(add = names())]
    pub(crate) name: String,
    /// Said with the release
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Releases a semaphore, also one that a program may hold; live programs of lockattr keep the lock
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Sends SIGTERM to the holder
    #[arg(long)]
    pub(crate) kill: bool,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is an option of its own
pub(crate) struct Run {
    /// The locks, which are always taken in one order
    #[arg(required_unless_present = "devices", value_name = "NAME",
          add = ArgValueCompleter::new(complete::locks_and_command))]
    pub(crate) names: Vec<String>,
    /// The lock of the device that PATH leads to, as NAME or beside it; also waits for programs that lock it in other
    /// ways (flock(2), UUCP)
    #[arg(long = "device", value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) devices: Vec<PathBuf>,
    /// How long to wait for all of them: `2s`, `500ms`, seconds [default: for ever]
    #[arg(short, long, value_name = "DURATION", visible_short_alias = 'w',
          allow_hyphen_values = true, value_parser = duration::timeout)]
    pub(crate) timeout: Option<Duration>,
    /// Does not wait, as `-t 0`
    #[arg(short, long, conflicts_with = "timeout")]
    pub(crate) nonblock: bool,
    /// The exit code if they are not acquired in time
    #[arg(short = 'E', long, value_name = "CODE", default_value_t = 1)]
    pub(crate) conflict_exit_code: u8,
    /// What others see as the place where they were taken [default: the command line]
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Says nothing if a lock is refused, nor while it waits
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Says how long it waited, and how long it held
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Where a process that has started this one holds a lock, runs under that hold
    #[arg(long)]
    pub(crate) reenter: bool,
    /// Leaves the locks (ports) to the command and its children: taken until the last of them ends
    #[arg(long)]
    pub(crate) inherit: bool,
    /// Becomes the command instead of starting it, which has the locks (ports) from then on, as has what
    /// it starts
    #[arg(long, conflicts_with = "inherit")]
    pub(crate) no_fork: bool,
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// A line for the shell (`$SHELL -c LINE`), in place of a command
    #[arg(short = 'c', long = "command", value_name = "LINE", conflicts_with = "command")]
    pub(crate) line: Option<OsString>,
    /// What to run
    #[arg(last = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// The lock
    #[arg(add = names())]
    pub(crate) name: String,
    /// How long to wait: `2s`, `500ms`, seconds [default: for ever]
    #[arg(short, long, value_name = "DURATION", visible_short_alias = 'w',
          allow_hyphen_values = true, value_parser = duration::timeout)]
    pub(crate) timeout: Option<Duration>,
    /// Says nothing if it is not free in time, nor while it waits
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// The locks [default: all that there are]
    #[arg(value_name = "NAME", add = names())]
    pub(crate) names: Vec<String>,
    /// Looks at least this often
    #[arg(short, long, value_name = "DURATION", default_value = "100ms",
          value_parser = duration::interval)]
    pub(crate) update: Duration,
    /// Each event as a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// Only locks of these names; `*` stands for any text, `?` for one character
    #[arg(value_name = "PATTERN", add = names())]
    pub(crate) patterns: Vec<String>,
    /// Only what was used last longer ago than this, such as `7d`
    #[arg(long, value_name = "DURATION", value_parser = duration::span)]
    pub(crate) older: Option<Duration>,
    /// Also where the last holder died or gave up: the next one will not be told
    #[arg(long)]
    pub(crate) died: bool,
    /// Says what would be removed, and removes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        super::Cli::command().debug_assert();
    }
}
