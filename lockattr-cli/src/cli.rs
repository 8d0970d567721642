//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{duration, exit, mode, report};

/// Every lock on the machine at a glance, and locks for shell scripts.
#[derive(Debug, Parser)]
#[command(name = "lockattr", version, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How the lock excludes others [default: as NAME is held or exists, else port]
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
    /// somebody has it; what is left of it is a record, which --all shows.
    #[command(after_long_help = report::JSON_HELP)]
    List(List),
    /// Shows one lock; creates nothing
    #[command(after_long_help = report::JSON_HELP)]
    State(State),
    /// Takes a lock, and leaves it taken when this command ends, until `unget`
    Get(Get),
    /// Gives back what `get` took
    Unget(Unget),
    /// Runs a command while holding locks, as flock(1) does, and ends with its status
    ///
    /// The command inherits nothing of the locks: they are given back when it ends, whatever it leaves
    /// running, or when `lockattr` is killed.
    Run(Run),
    /// Shows every change as it happens, until Ctrl-C
    ///
    /// The release of a port lock is seen at once, all else at the next look.
    #[command(after_long_help = report::JSON_HELP)]
    Trace(Trace),
    /// Shows the locks of this machine, again and again, until `q`
    ///
    /// As `list`, where there is no terminal.
    Watch(Watch),
    /// Writes a completion script for a shell
    Completions {
        /// Which one
        shell: Shell,
    },
    /// Writes a page for man(1): that of `lockattr`, or of one of its commands
    Man {
        /// The command
        command: Option<String>,
    },
    /// Holds a lock for `get`
    #[command(hide = true, name = crate::keeper::COMMAND)]
    Keep(Get),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// As a JSON array
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) scope: Scoped,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
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
    /// Also the records that free port locks have left
    #[arg(short, long, conflicts_with = "held")]
    pub(crate) all: bool,
    /// Only what is taken
    #[arg(long)]
    pub(crate) held: bool,
}

#[derive(Debug, Args)]
pub(crate) struct State {
    /// The lock
    pub(crate) name: String,
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
    pub(crate) name: String,
    /// How long to wait: `2s`, `500ms`, seconds, `none` or `-1` for ever
    #[arg(short, long, value_name = "DURATION", default_value = "0.5",
          allow_hyphen_values = true, value_parser = duration::timeout)]
    pub(crate) timeout: Duration,
    /// What others see as the place where it was taken
    #[arg(short, long, value_name = "TEXT", default_value = "cli")]
    pub(crate) message: String,
    /// Gives it back after this time
    #[arg(short, long, value_name = "DURATION", value_parser = duration::span)]
    pub(crate) auto_unget: Option<Duration>,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

#[derive(Debug, Args)]
pub(crate) struct Unget {
    /// The lock
    pub(crate) name: String,
    /// Said with the release
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Releases a semaphore whoever holds it
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Sends SIGTERM to the holder of a port lock
    #[arg(long)]
    pub(crate) kill: bool,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The locks, which are always taken in one order
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// How long to wait for all of them [default: for ever]
    #[arg(short, long, value_name = "DURATION",
          allow_hyphen_values = true, value_parser = duration::timeout)]
    pub(crate) timeout: Option<Duration>,
    /// The exit code if they are not acquired in time
    #[arg(short = 'E', long, value_name = "CODE", default_value_t = 1)]
    pub(crate) conflict_exit_code: u8,
    /// What others see as the place where they were taken [default: the command]
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// What to run
    #[arg(required = true, last = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// The locks
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Looks at least this often
    #[arg(short, long, value_name = "DURATION", default_value = "100ms",
          value_parser = duration::interval)]
    pub(crate) update: Duration,
    /// Each event as a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        super::Cli::command().debug_assert();
    }
}
