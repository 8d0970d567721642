//! What the figures were measured on, and with.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::SystemTime;

/// In words. What the machine does not tell is "unknown".
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    /// The load average of the last minute, before the first figure.
    pub(crate) load: String,
    pub(crate) rustc: String,
    pub(crate) python: String,
    pub(crate) lockattr: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let processor = value(&read("/proc/cpuinfo"), "model name");
        let kibibytes: f64 = value(&read("/proc/meminfo"), "MemTotal")
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or_default();
        let commit = said(Command::new("git").args([
            "-C",
            env!("CARGO_MANIFEST_DIR"),
            "describe",
            "--always",
            "--dirty",
        ]));
        Self {
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            processor: format!("{cores} cores of {processor}"),
            memory: format!("{:.0} GiB", kibibytes / 1024.0 / 1024.0),
            kernel: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            load: read("/proc/loadavg").split(' ').next().unwrap_or("unknown").to_owned(),
            rustc: said(Command::new("rustc").arg("--version")),
            python: said(Command::new("python3").arg("--version")),
            lockattr: format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// Nothing if it cannot be read.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value in the first line `KEY : VALUE`.
fn value(text: &str, key: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let value = line.and_then(|it| it.split_once(':')).map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

fn said(command: &mut Command) -> String {
    let output = command.output().ok().filter(|output| output.status.success());
    output.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
