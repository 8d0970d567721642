//! Pseudo-terminals, and programs that run on them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use lockattr::Lock;
use nix::pty::openpty;

use crate::support::{self, eventually};

/// A folder of its own with a device: the end of a pair that socat makes, as a null-modem cable between two
/// serial ports. What its lock leaves goes when it is dropped.
pub(crate) struct Port {
    cable: Child,
    folder: PathBuf,
    /// What `/dev/pts/…` it is.
    pub(crate) node: PathBuf,
    lock: String,
}

impl Port {
    /// None where socat is not installed, which is said.
    pub(crate) fn new(what: &str) -> Option<Self> {
        if !has("socat") {
            return None;
        }
        let folder = folder(what);
        let end = |path: &Path| format!("pty,raw,echo=0,link={}", path.display());
        let (link, other) = (link_in(&folder), folder.join("other"));
        let cable = Command::new("socat").args([end(&link), end(&other)]).spawn().unwrap();
        eventually("socat makes the ports", || other.exists());
        let node = fs::canonicalize(link).unwrap();
        let lock = Lock::device(&node).unwrap().name().to_owned();
        Some(Self { cable, folder, node, lock })
    }

    /// A link to the node, as those in `/dev/serial/by-id`.
    pub(crate) fn link(&self) -> PathBuf {
        link_in(&self.folder)
    }

    pub(crate) fn node_as_text(&self) -> &str {
        self.node.to_str().unwrap()
    }

    pub(crate) fn lock(&self) -> Lock {
        Lock::device(&self.node).unwrap()
    }

    /// The plug is pulled: the node is gone.
    pub(crate) fn unplug(&mut self) {
        let _ = self.cable.kill();
        let _ = self.cable.wait();
        let node = self.node.clone();
        eventually("the node goes", || !node.exists());
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let _ = self.cable.kill();
        let _ = self.cable.wait();
        remove(&self.lock);
        for file in lock_files(&self.node).into_iter().chain(lock_files(&self.link())) {
            let _ = fs::remove_file(file);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what is left of a device's lock. In the name of a file `:` is `%3a`.
pub(crate) fn remove(lock: &str) {
    support::remove(&lock.replace(':', "%3a"));
}

/// Called as its folder: a lock file goes by the name alone, and no other test's may be the same.
fn link_in(folder: &Path) -> PathBuf {
    folder.join(folder.file_name().unwrap())
}

/// A folder that no other test and no other run uses.
pub(crate) fn folder(what: &str) -> PathBuf {
    let name = support::unique_name(what);
    let folder = std::env::temp_dir().join(format!("lockattr-{}", name.trim_end_matches('.')));
    fs::create_dir(&folder).unwrap();
    folder
}

/// What UUCP's lock files are called for a path, as minicom has it.
pub(crate) fn lock_files(path: &Path) -> Vec<PathBuf> {
    let name = match path.strip_prefix("/dev") {
        Ok(below) => below.to_str().unwrap().replace('/', "_"),
        Err(_) => path.file_name().unwrap().to_str().unwrap().to_owned(),
    };
    vec![Path::new("/var/lock").join(format!("LCK..{name}"))]
}

/// Whether a program of Debian's is installed; says so where it is not.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new("which").arg(program).stdout(Stdio::null()).status();
    let has = found.is_ok_and(|status| status.success());
    if !has {
        println!("skipped: {program} is not installed");
    }
    has
}

/// A program on a terminal of its own, whose output nobody sees. It is killed when this is dropped.
pub(crate) struct Program {
    process: Child,
    /// The terminal hangs up when this goes.
    keyboard: OwnedFd,
}

impl Program {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let terminal = openpty(None, None).unwrap();
        let copy = || Stdio::from(terminal.slave.try_clone().unwrap());
        let process = Command::new(program)
            .args(arguments)
            .env("TERM", "xterm")
            .env("LC_ALL", "C")
            .stdin(copy())
            .stdout(copy())
            .stderr(copy())
            .spawn()
            .unwrap();
        let mut screen = fs::File::from(terminal.master.as_fd().try_clone_to_owned().unwrap());
        thread::spawn(move || {
            let mut output = [0; 4096];
            while screen.read(&mut output).is_ok_and(|bytes| bytes > 0) {}
        });
        Self { process, keyboard: terminal.master }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How it ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        // minicom wants a key before it ends.
        let mut keyboard = fs::File::from(self.keyboard.try_clone().unwrap());
        let mut status = None;
        eventually("the program ends", || {
            let _ = keyboard.write_all(b"\n");
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
