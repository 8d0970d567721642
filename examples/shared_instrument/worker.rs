//! A process of this very program in another role: it is told when to go, and answers in lines.
//! Pipes carry both, so that nobody sleeps to wait for another process.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const READY: &str = "ready";
const GO: &str = "go";

/// A worker, seen from the process that started it. Dropping it ends it.
pub(crate) struct Worker {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts this program with arguments of its own, and waits until it is ready to go.
    pub(crate) fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (orders, answers) = pipes.ok_or_else(|| io::Error::other("no pipes to a worker"))?;
        let mut worker = Self { process, orders, answers: BufReader::new(answers) };
        match worker.answer()? {
            answer if answer == READY => Ok(worker),
            answer => Err(io::Error::other(answer)),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn go(&mut self) -> io::Result<()> {
        writeln!(self.orders, "{GO}")
    }

    /// Waits for the next line that the worker prints.
    pub(crate) fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            let status = self.process.wait()?;
            return Err(io::Error::other(format!("a worker ended without an answer: {status}")));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A worker that has ended already cannot be killed, and that is as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In the worker: says that it is ready, and waits until it is told to go.
pub(crate) fn ready() -> io::Result<()> {
    println!("{READY}");
    let mut order = String::new();
    io::stdin().read_line(&mut order)?;
    match order.trim_end() {
        GO => Ok(()),
        _ => Err(io::Error::other("told to end before it began")),
    }
}
