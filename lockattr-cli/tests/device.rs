//! Locks of devices.

mod support;

use std::fs::{self, File};
use std::path::PathBuf;

use nix::fcntl::{Flock, FlockArg};
use nix::pty::{openpty, OpenptyResult};
use nix::unistd::ttyname;
use support::{eventually, json, lockattr, refused, said, Running};

/// A pseudo-terminal, as the device that it is, and a link to it.
struct Device {
    path: String,
    link: PathBuf,
    name: String,
    _ends: OpenptyResult,
}

impl Device {
    fn new(what: &str) -> Self {
        let ends = openpty(None, None).unwrap();
        let path = ttyname(&ends.slave).unwrap().into_os_string().into_string().unwrap();
        let link = std::env::temp_dir().join(format!("lockattr-cli-{what}-{}", std::process::id()));
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let name = lockattr_runtime::Lock::device(&path).unwrap().name().to_owned();
        Self { path, link, name, _ends: ends }
    }

    fn link(&self) -> &str {
        self.link.to_str().unwrap()
    }

    /// `pts/7`.
    fn kernel_name(&self) -> &str {
        self.path.strip_prefix("/dev/").unwrap()
    }

    fn flock(&self) -> Flock<File> {
        Flock::lock(File::open(&self.path).unwrap(), FlockArg::LockExclusive).unwrap()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.link);
        let _ = fs::remove_file(format!("/dev/shm/lockattr.0.{}", self.name.replace(':', "%3a")));
    }
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn a_device_is_one_lock_whatever_path_leads_to_it() {
    let device = Device::new("one");
    let holder = Running::start(&["run", "--device", device.link(), "-m", "the test", "--", "cat"]);
    let is_held = || {
        let output = lockattr(&["state", "-q", "--device", &device.path]).output().unwrap();
        output.status.success()
    };
    eventually("it holds", is_held);
    let refusal = refused(&["run", "-n", "--device", &device.path, "--", "true"], 1);
    assert_has(&refusal, &[&device.name, &device.path, &format!("pid {}", holder.pid())]);
    let shown = said(&["list", &device.name]);
    assert_has(&shown, &[&format!("{} ({})", device.name, device.kernel_name())]);
    let shown = json(&["state", "--json", &device.name]);
    assert_eq!(shown["device"], device.kernel_name());
    assert!(holder.end().success());
}

#[test]
fn state_tells_which_conventions_hold_and_who() {
    let device = Device::new("state");
    let shown = said(&["state", "--device", device.link()]);
    assert!(shown.ends_with("  flock(2): free\n  lock file: free\n"), "{shown}");
    lockattr(&["state", "-q", "--device", &device.path]).assert().code(1);
    let flock = device.flock();
    let this = format!("flock(2): held by pid {}", std::process::id());
    assert_has(&said(&["state", "--device", device.link()]), &[&this]);
    let shown = json(&["state", "--json", "--device", &device.path]);
    assert_eq!(shown["others"][0]["known_by"], "flock");
    lockattr(&["state", "-q", "--device", &device.path]).assert().code(0);
    let refusal = refused(&["run", "-t", "50ms", "--device", &device.path, "--", "true"], 1);
    assert_has(&refusal, &["which has a flock on"]);
    drop(flock);
    lockattr(&["run", "-n", "--device", &device.path, "--", "true"]).assert().code(0).stderr("");
}

#[test]
fn a_name_that_is_a_devices_path_gets_a_hint() {
    let name = "/dev/lockattr-cli-test-hint";
    let output = lockattr(&["run", name, "--", "true"]).output().unwrap();
    assert!(output.status.success());
    let hint = String::from_utf8(output.stderr).unwrap();
    assert_has(&hint, &["is taken as a name", &format!("`lockattr run --device {name}`")]);
    lockattr(&["run", "-q", name, "--", "true"]).assert().code(0).stderr("");
    lockattr(&["clean", name]).assert().code(0);
}

#[test]
fn what_is_no_device_is_said_with_its_path() {
    let none = refused(&["run", "--device", "/dev/lockattr-none", "--", "true"], 3);
    assert_has(&none, &["/dev/lockattr-none", "No such file"]);
    assert_has(&refused(&["state", "--device", "/dev"], 3), &["Is a directory"]);
    let no_command = refused(&["run", "--device", "/dev/null"], 2);
    assert_has(&no_command, &["no command to run", "`lockattr run --device /dev/null -- COMMAND`"]);
    refused(&["run", "--", "true"], 2);
    refused(&["state"], 2);
}
