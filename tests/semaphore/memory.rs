//! A `/dev/shm` that is full, read-only or missing.

use std::fs;

use lockattr::{Backend, Lock};
use nix::mount::{mount, MsFlags};

use super::in_a_child;
use super::support::LONG;

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
        let lock = Lock::open(Backend::Semaphore, "test-another-namespace").unwrap();
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
