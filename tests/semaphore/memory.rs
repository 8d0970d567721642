//! A `/dev/shm` that is full, read-only or missing.

use std::fs::{self, File};
use std::process::Command;

use lockattr::{Backend, Lock};
use nix::libc;
use nix::mount::{mount, MsFlags};

use super::in_a_child;
use super::support::{on_each_backend, open, Actor, LONG};

/// In a folder of its own.
const NAME: &str = "test-another-namespace";

/// What an acquire says in a mount namespace of its own, where `prepare` has mounted something. None
/// where this user may not make one.
fn in_another_namespace(prepare: impl FnOnce()) -> Option<String> {
    const MAY_NOT: u8 = 2;

    let (read, write) = nix::unistd::pipe().unwrap();
    let code = in_a_child(|| {
        if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).is_err() {
            return MAY_NOT;
        }
        let nothing = None::<&str>;
        mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).unwrap();
        prepare();
        let lock = Lock::open(Backend::Semaphore, NAME).unwrap();
        let said = lock.acquire(LONG).map_or_else(|error| error.to_string(), |_| "held".to_owned());
        nix::unistd::write(&write, said.as_bytes()).unwrap();
        0
    });
    if code == MAY_NOT.into() {
        println!("skipped: this user may not make a mount namespace (root may)");
        return None;
    }
    assert_eq!(code, 0);
    let mut said = [0; 4096];
    let length = nix::unistd::read(&read, &mut said).unwrap();
    Some(String::from_utf8_lossy(&said[..length]).into_owned())
}

fn mount_memory(at: &str, flags: MsFlags) {
    mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some("size=4k,nr_inodes=10")).unwrap();
}

#[test]
fn a_shared_memory_that_is_full_read_only_or_missing_is_an_error() {
    let full = in_another_namespace(|| {
        mount_memory("/dev/shm", MsFlags::empty());
        fs::write("/dev/shm/full", [1; 4096]).unwrap();
    });
    let read_only = in_another_namespace(|| mount_memory("/dev/shm", MsFlags::MS_RDONLY));
    let missing = in_another_namespace(|| mount_memory("/dev", MsFlags::empty()));
    for (said, reason) in [
        (full, "No space left on device"),
        (read_only, "Read-only file system"),
        (missing, "No such file or directory"),
    ] {
        if let Some(said) = said {
            assert!(said.contains("cannot make the lock in /dev/shm: "), "{said}");
            assert!(said.contains(reason), "{said}");
        }
    }
}

/// Gives a file a size, and no memory.
fn make_sparse(path: &str, bytes: u64) {
    File::create_new(path).unwrap().set_len(bytes).unwrap();
}

#[test]
fn a_sparse_file_in_a_memory_that_is_full_is_an_error_and_no_crash() {
    let (semaphore, record) = (format!("/dev/shm/sem.{NAME}"), format!("/dev/shm/{NAME}"));
    let bytes = std::mem::size_of::<libc::sem_t>();
    // One page is all there is: the file that has content takes it.
    let sparse_semaphore = in_another_namespace(|| {
        mount_memory("/dev/shm", MsFlags::empty());
        make_sparse(&semaphore, bytes as u64);
        fs::write(&record, [0; 4096]).unwrap();
    });
    let sparse_record = in_another_namespace(|| {
        mount_memory("/dev/shm", MsFlags::empty());
        let mut content = vec![0; bytes];
        content[0] = 1;
        fs::write(&semaphore, content).unwrap();
        make_sparse(&record, 4096);
    });
    for said in [sparse_semaphore, sparse_record].into_iter().flatten() {
        assert!(said.contains("cannot reserve the lock's shared memory: "), "{said}");
        assert!(said.contains("No space left on device"), "{said}");
    }
}

/// tmpfs says so before Linux 6.9 when a signal comes meanwhile. strace(1) says it in its place: run
/// where that can trace, or the test says that it was skipped.
#[test]
fn a_signal_while_memory_is_reserved_fails_no_acquire() {
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null"];
    let can_trace = Command::new(strace[0]).args(&strace[1..]).arg("true").status();
    if !can_trace.is_ok_and(|status| status.success()) {
        println!("skipped: there is no strace, or it may not trace");
        return;
    }
    let interrupted = [&strace[..], &["-e", "inject=fallocate:error=EINTR:when=1..2"]].concat();
    on_each_backend("interrupted", |name| {
        let mut holder = Actor::start_under(&interrupted, "hold", name);
        holder.expect("holding");
        // A port lock works without its record, too.
        let seen = open(name).holder().unwrap().unwrap();
        assert_eq!(seen.info.as_deref(), Some("the test's holder"));
        holder.end();
    });
}
