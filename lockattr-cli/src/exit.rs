//! How the program ends.

use std::fmt;
use std::io;
use std::process::ExitCode;

use lockattr_runtime::LockError;
use lockattr_survey::SurveyError;

/// What the program's exit status says. `--help` documents it: [`HELP`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// Not acquired in time, nothing to release, or (`state -q`) free.
    Not,
    /// The command line is wrong, or the name breaks the rules.
    Usage,
    Failed,
    /// `run`: the command is there and cannot be run.
    NotExecutable,
    /// `run`: there is no such command.
    NotFound,
    /// `run`: the command's own, or what `-E` wants.
    Other(u8),
}

/// The exit codes as `--help` shows them.
pub(crate) const HELP: &str = "Exit codes:
    0  done
    1  not acquired in time; `wait`: not free in time; nothing to release; `state -q`: free
    2  wrong usage, or a name that no lock can have
    3  denied, or failed; the name is held under another backend; held by the process that waits
  run: the command's own (128 + N if signal N ended it), 126 if it cannot be run, 127 if there is none,
       and what -E says if the lock is not acquired in time";

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Not => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
            Self::Other(code) => code,
        }
    }

    /// What an error of the library means to who called the program.
    pub(crate) fn of(error: &LockError) -> Self {
        match error {
            LockError::Timeout { .. } | LockError::Orphaned { .. } => Self::Not,
            LockError::InvalidName { .. } | LockError::InvalidMode { .. } => Self::Usage,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command ends before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// With something to say.
    With(Exit, String),
    /// With nothing to say, as `--quiet` wants it.
    Silent(Exit),
    /// Whoever read the output has gone, as in `lockattr list | head -1`: nobody is there to be told.
    ClosedPipe,
}

impl Stop {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::With(Exit::Usage, message.into())
    }

    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::With(Exit::Failed, message.to_string())
    }

    /// Says why, and how to end.
    pub(crate) fn report(self) -> Exit {
        use io::Write as _;

        match self {
            Self::With(exit, message) => {
                // Not `eprintln!`, which panics where nobody reads.
                let _ = writeln!(io::stderr(), "lockattr: {message}");
                exit
            }
            Self::Silent(exit) => exit,
            Self::ClosedPipe => Exit::Done,
        }
    }
}

impl From<LockError> for Stop {
    fn from(error: LockError) -> Self {
        Self::With(Exit::of(&error), error.to_string())
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::failed(error),
        }
    }
}

impl From<nix::Error> for Stop {
    fn from(error: nix::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<SurveyError> for Stop {
    fn from(error: SurveyError) -> Self {
        Self::failed(error)
    }
}
