//! What is no device, and lock files that are none: errors with path and cause, and nothing is left behind or
//! removed that may be somebody's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use lockattr::{KnownBy, Lock, LockError};

use crate::support::{self, eventually, say, Actor, LONG};
use crate::terminal::{folder, lock_files, remove, Port, Program};

#[test]
fn what_is_no_device_is_an_error_with_its_path() {
    let folder = folder("no-device");
    let circle = folder.join("circle");
    symlink(&circle, &circle).unwrap();
    let none = folder.join("none");
    let is_circle = if cfg!(target_env = "musl") {
        "Symbolic link loop"
    } else {
        "Too many levels of symbolic links"
    };
    for (path, cause) in [
        (&*none, "No such file"),
        (&*circle, is_circle),
        (&*folder, "Is a directory"),
        (Path::new("dev/null"), "not absolute"),
        (Path::new("/dev/null/x"), "Not a directory"),
        (Path::new("/dev/nu\0ll"), "NUL byte"),
    ] {
        let error = Lock::device(path).unwrap_err();
        let LockError::NoDevice { path: told, .. } = &error else { panic!("{error}") };
        assert_eq!(told, path);
        let text = error.to_string();
        let shown = path.to_str().unwrap().replace('\0', "\\0");
        assert!(text.contains(cause) && text.contains(&shown), "{text}");
    }
    fs::remove_dir_all(folder).unwrap();
}

/// A file that stands for a device, and its lock file.
struct Stand {
    folder: PathBuf,
    device: PathBuf,
    file: PathBuf,
}

impl Stand {
    fn new(what: &str) -> Self {
        let folder = folder(what);
        // The lock file is called by this.
        let device = folder.join(folder.file_name().unwrap());
        fs::write(&device, "").unwrap();
        let file = lock_files(&device).remove(0);
        Self { folder, device, file }
    }

    fn lock(&self) -> Lock {
        Lock::device(&self.device).unwrap()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        remove(self.lock().name());
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_lock_file_that_does_not_tell_whose_it_is_is_held_and_stays() {
    let stand = Stand::new("unclear");
    for (content, cause) in [
        ("engineering has it\n", "it has no pid, but \"engineering has it\""),
        ("         0\n", "it has no pid, but \"0\""),
        ("        -1\n", "it has no pid"),
        ("", "it is empty"),
    ] {
        fs::write(&stand.file, content).unwrap();
        for acquire in [stand.lock().with(), stand.lock().with().join_lock_file()] {
            let error = acquire.try_acquire().unwrap_err();
            let text = error.to_string();
            assert!(text.contains(stand.file.to_str().unwrap()) && text.contains(cause), "{text}");
            let holder = error.holder().unwrap();
            assert_eq!((holder.pid, holder.known_by), (None, KnownBy::LockFile));
        }
        assert_eq!(fs::read_to_string(&stand.file).unwrap(), content);
        assert!(!stand.lock().is_locked().unwrap());
    }
}

#[test]
fn a_stale_file_is_ignored_and_replaced_only_where_one_is_made() {
    let stand = Stand::new("stale");
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let stale = format!("{:10}\n", ended.id());
    fs::write(&stand.file, &stale).unwrap();
    drop(stand.lock().try_acquire().unwrap());
    assert_eq!(fs::read_to_string(&stand.file).unwrap(), stale);
    drop(stand.lock().with().join_lock_file().try_acquire().unwrap());
    assert!(!stand.file.exists());
}

#[test]
fn a_file_of_this_process_s_pid_is_its_own_and_stays() {
    let stand = Stand::new("own");
    let own = format!("{:10} minicom root\n", std::process::id());
    fs::write(&stand.file, &own).unwrap();
    drop(stand.lock().try_acquire().unwrap());
    drop(stand.lock().with().join_lock_file().try_acquire().unwrap());
    assert_eq!(fs::read_to_string(&stand.file).unwrap(), own);
}

#[test]
fn a_node_that_goes_while_it_is_waited_for_is_an_error() {
    let Some(mut port) = Port::new("goes") else { return };
    let program = Program::start("flock", &["--no-fork", port.node_as_text(), "sleep", "60"]);
    let lock = port.lock();
    eventually("flock has it", || !lock.others().unwrap().is_empty());
    let error = thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(LONG));
        eventually("it waits", || port.lock().is_locked().unwrap());
        port.unplug();
        waiter.join().unwrap().unwrap_err()
    });
    assert!(matches!(&error, LockError::NoDevice { path, .. } if *path == port.node), "{error}");
    drop(program);
}

#[test]
fn a_node_that_goes_while_it_is_held_leaves_nothing() {
    let Some(mut port) = Port::new("held-goes") else { return };
    let lock = port.lock();
    let guard = lock.with().join_lock_file().acquire().unwrap();
    assert!(lock_files(&port.node)[0].exists());
    port.unplug();
    assert!(matches!(lock.try_acquire(), Err(LockError::NoDevice { .. })));
    drop(guard);
    assert!(!lock_files(&port.node)[0].exists());
}

/// A role: joins where that is refused.
pub(crate) fn be_refused(path: &str) {
    let lock = Lock::device(path).unwrap();
    drop(lock.try_acquire().unwrap());
    say("respects");
    say(&lock.with().join_lock_file().acquire().unwrap_err().to_string());
    say(&lock.is_locked().unwrap().to_string());
    support::listen();
}

#[test]
fn a_folder_that_cannot_be_written_to_is_an_error_where_a_file_is_wanted() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root mounts");
        return;
    }
    let stand = Stand::new("unwritable");
    let script = "mount -t tmpfs -o ro tmpfs /run/lock && exec \"$@\"";
    let mut actor = Actor::start_under(
        &["unshare", "--mount", "sh", "-c", script, "sh"],
        "refused",
        stand.device.to_str().unwrap(),
    );
    actor.expect("respects");
    let refusal = actor.hear();
    assert!(refusal.contains("cannot make the device's lock file: /var/lock/LCK.."), "{refusal}");
    assert!(refusal.contains("Read-only file system"), "{refusal}");
    actor.expect("false");
    actor.end();
}

#[test]
fn a_user_that_may_not_open_the_node_may_lock_it() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root is another user");
        return;
    }
    let Some(port) = Port::new("not-mine") else { return };
    let program = Program::start("flock", &["--no-fork", port.node_as_text(), "sleep", "60"]);
    eventually("flock has it", || !port.lock().others().unwrap().is_empty());
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    // A folder on the way to this program may be root's alone.
    let this = folder("program");
    let copy = this.join("test");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let mut permissions = fs::metadata(&this).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&this, permissions).unwrap();
    let script = format!("shift; exec {} \"$@\"", copy.display());
    let under = [&nobody[..], &["sh", "-c", &script, "sh"]].concat();
    let mut actor = Actor::start_under(&under, "try", port.node_as_text());
    let refusal = actor.hear();
    assert!(refusal.contains(&format!("pid {}", program.pid())), "{refusal}");
    actor.end();
    drop(program);
    let mut actor = Actor::start_under(&under, "try", port.node_as_text());
    actor.expect("acquired");
    actor.end();
    let _ = fs::remove_file(format!(
        "/dev/shm/lockattr.65534.{}",
        port.lock().name().replace(':', "%3a")
    ));
    fs::remove_dir_all(this).unwrap();
}
