//! A worker process, seen from the bench.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use lockattr_bench_contender::{Error, Order, Result};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};

/// No answer takes longer than this, unless the caller says so.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that obeys [`Order`]s. It is killed when this is dropped.
pub(crate) struct Worker {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    complaints: ChildStderr,
}

impl Worker {
    /// Starts it. It is [`ready`](Self::ready) later, so that many can be started at once.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(orders), Some(answers), Some(complaints)) = pipes else {
            return Err("no pipes to a worker".into());
        };
        Ok(Self { process, orders, answers: BufReader::new(answers), complaints })
    }

    /// Waits until it has opened its lock.
    pub(crate) fn ready(mut self) -> Result<Self> {
        self.answer()?;
        Ok(self)
    }

    pub(crate) fn tell(&mut self, order: &Order) -> Result<()> {
        Ok(writeln!(self.orders, "{order}")?)
    }

    /// Lets go what it holds: any line does.
    pub(crate) fn release(&mut self) -> Result<()> {
        Ok(writeln!(self.orders, "release")?)
    }

    pub(crate) fn ask(&mut self, order: &Order) -> Result<String> {
        self.tell(order)?;
        self.answer()
    }

    pub(crate) fn answer(&mut self) -> Result<String> {
        self.answer_within(PATIENCE)?
            .ok_or_else(|| format!("no answer within {} s", PATIENCE.as_secs()).into())
    }

    /// What it answers; none if it takes longer than this.
    pub(crate) fn answer_within(&mut self, patience: Duration) -> Result<Option<String>> {
        if self.answers.buffer().is_empty() {
            let mut polled = [PollFd::new(self.answers.get_ref().as_fd(), PollFlags::POLLIN)];
            if poll(&mut polled, PollTimeout::try_from(patience)?)? == 0 {
                return Ok(None);
            }
        }
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(self.last_words());
        }
        match line.trim_end().split_once(' ') {
            Some(("ok", answer)) => Ok(Some(answer.to_owned())),
            Some(("error", why)) => Err(why.to_owned().into()),
            _ => Err(format!("a worker said {line:?}").into()),
        }
    }

    fn last_words(&mut self) -> Error {
        let mut complaints = String::new();
        // What it said is an extra. That it ended is the error.
        let _ = self.complaints.read_to_string(&mut complaints);
        let last = complaints.lines().rev().find(|line| !line.trim().is_empty());
        format!("its process ended: {}", last.unwrap_or("it did not say why")).into()
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}
