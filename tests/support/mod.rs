//! Tests with real processes: the test binary starts itself again in a role.
//!
//! A test file has one more "test" that plays the role:
//!
//! ```ignore
//! #[test]
//! fn role() {
//!     support::play(&[("hold", hold)]);
//! }
//! ```
//!
//! It does nothing in a plain run. [`Actor::start`] runs the binary with only that test and the
//! role's name in the environment. The two talk in lines over pipes, so nobody sleeps to wait for
//! anybody.

#![allow(dead_code, unreachable_pub, unused_imports)] // each test file is a crate, and uses what it needs

mod actor;
mod name;

pub mod ledger;
pub mod numbers;
pub mod raw_clone;
pub mod seccomp;

use std::env;
use std::io;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lockattr::{Backend, Lock, LockError, LockGuard};
use nix::sys::resource::{getrusage, UsageWho};
use nix::sys::time::TimeValLike;
use nix::unistd::{setgid, setgroups, setuid, Gid, Uid};

pub use actor::{close, eventually, listen, none_starts, play, say, Actor, Role, LONG};
use actor::{ARGUMENT, ROLE, ROLES};
pub use name::{unique_name, unique_semaphore, unique_tcp, Name};
use name::{SEMAPHORE, TCP};

/// What only unixes have.
impl Actor {
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.pid().try_into().unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Stops it, and waits until all its threads have stopped: until then it may take what becomes free.
    pub fn stop(&self) {
        use nix::sys::wait::{waitid, Id, WaitPidFlag};

        self.signal(nix::sys::signal::Signal::SIGSTOP);
        let pid = nix::unistd::Pid::from_raw(self.pid().try_into().unwrap());
        waitid(Id::Pid(pid), WaitPidFlag::WSTOPPED).unwrap();
    }
}

/// The program that runs this one on an emulated processor of the same kind (Debian's `qemu-user`), if it
/// is installed. To such a program the kernel looks otherwise in places: `/proc/self`, `madvise`.
pub fn emulator() -> Option<String> {
    let machine = match env::consts::ARCH {
        "x86" => "i386",
        machine => machine,
    };
    let emulator = format!("qemu-{machine}");
    let version = Command::new(&emulator).arg("--version").stdout(Stdio::null()).status();
    if version.is_ok_and(|status| status.success()) {
        return Some(emulator);
    }
    println!("skipped: {emulator} is not installed");
    None
}

/// Replaces this actor's program by itself, in a role, silently. Returns if that fails.
pub fn execute_role(role: &str, argument: &str) -> io::Error {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(ROLES).env(ROLE, role).env(ARGUMENT, argument).stdout(Stdio::null());
    std::os::unix::process::CommandExt::exec(&mut command)
}

/// Whether this user may make a network namespace by `alone`, an `unshare` with its options. Says so where not.
pub fn may_be_alone(alone: &[&str]) -> bool {
    let made = Command::new(alone[0]).args(&alone[1..]).arg("true").status();
    let may = made.is_ok_and(|status| status.success());
    if !may {
        println!("skipped: this user may not make a network namespace");
    }
    may
}

/// Says so to threads that go on until it is said. When it is dropped, so also where a test fails: it would wait for them.
pub struct End<'a>(pub &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether lockattr has semaphores: it shares glibc's.
pub const HAS_SEMAPHORES: bool = cfg!(target_env = "gnu");

/// A port lock's name, and a semaphore's where there are semaphores.
pub fn unique_names(what: &str) -> Vec<Name> {
    let semaphore = HAS_SEMAPHORES.then(|| unique_semaphore(what));
    std::iter::once(unique_name(what)).chain(semaphore).collect()
}

/// Runs a test with the name of a port lock, with that of a semaphore, and with that of a TCP lock.
pub fn on_each_backend(what: &str, test: impl Fn(&str)) {
    test(&unique_name(what));
    if HAS_SEMAPHORES {
        test(&unique_semaphore(what));
    }
    test(&unique_tcp(what));
}

/// Removes the two files of a semaphore that nobody uses any more.
pub fn remove_semaphore(name: &str) {
    let _ = std::fs::remove_file(format!("/dev/shm/{name}"));
    let _ = std::fs::remove_file(format!("/dev/shm/sem.{name}"));
}

/// Removes what is left of a lock that nobody uses any more and that is no [`Name`].
pub fn remove(name: &str) {
    remove_semaphore(name);
    let user = nix::unistd::geteuid();
    let _ = std::fs::remove_file(format!("/dev/shm/lockattr.{user}.{name}"));
}

/// Removes this user's record that goes by `key`: a name, of a TCP lock with `\0tcp` behind it.
pub fn remove_record(key: &str) {
    remove_record_of(nix::unistd::geteuid(), key);
}

/// Removes the record of `user` that goes by `key`, and those whose keys begin with it.
pub fn remove_record_of(user: nix::unistd::Uid, key: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let encoded = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02x}")
        }
    };
    let name: String = key.bytes().map(encoded).collect();
    // A long one is cut, and has a digest at its end.
    let begin = format!("lockattr.{user}.{}", &name[..name.len().min(200)]);
    for entry in std::fs::read_dir("/dev/shm").unwrap().flatten() {
        if entry.file_name().to_str().is_some_and(|file| file.starts_with(&begin)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Sends descriptors with a byte over a connection; whether the other end is there or not.
pub fn send_descriptors(
    connection: &impl std::os::fd::AsRawFd,
    descriptors: &[std::os::fd::RawFd],
) {
    use nix::sys::socket::{sendmsg, ControlMessage, MsgFlags};

    let _ = sendmsg::<()>(
        connection.as_raw_fd(),
        &[io::IoSlice::new(b"x")],
        &[ControlMessage::ScmRights(descriptors)],
        MsgFlags::MSG_NOSIGNAL,
        None,
    );
}

/// Whether the process `pid` waits in the queue of a port lock, by the name of its socket.
pub fn waits_in_queue(pid: u32) -> bool {
    const CONNECTED: &str = "03";

    let table = std::fs::read("/proc/net/unix").unwrap();
    let address = format!("@/portwait/{pid}.");
    // It has its address before it is in the queue.
    String::from_utf8_lossy(&table).lines().any(|line| {
        line.contains(&address) && line.split_ascii_whitespace().nth(5) == Some(CONNECTED)
    })
}

/// How many connections the process `pid` has to ports of TCP locks: a waiter has two.
pub fn connections_to_locks(pid: u32) -> usize {
    const ESTABLISHED: &str = "01";
    /// 127.0.0.2, in whichever byte order the kernel has it: this program may be emulated.
    const WAITERS: [&str; 2] = ["0200007F", "7F000002"];

    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let inodes = table.lines().filter_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let is_waiter = WAITERS.contains(&fields.get(1)?.split(':').next()?);
        (is_waiter && fields[3] == ESTABLISHED).then(|| format!("socket:[{}]", fields[9]))
    });
    let inodes: Vec<_> = inodes.collect();
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    let is_one = |link: &std::path::PathBuf| {
        link.to_str().is_some_and(|link| inodes.iter().any(|inode| inode == link))
    };
    links.filter(is_one).count()
}

/// How many threads and tasks of the process `pid` wait in the queue for the lock `name`. (Whose turn it is at a
/// semaphore or at the ports has left the queue.)
pub fn queued(name: &str, pid: u32) -> usize {
    let table = std::fs::read("/proc/net/unix").unwrap();
    let (begin, end) = (format!("wait/{pid}."), format!("/{name}"));
    let table = String::from_utf8_lossy(&table);
    table.lines().filter(|line| line.contains(&begin) && line.ends_with(&end)).count()
}

/// What this process has used of a processor.
pub fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.try_into().unwrap())
}

/// Whether the process `pid` waits for the lock, or, of a semaphore, another one whose turn it is.
pub fn waits(name: &str, pid: u32) -> bool {
    match backend(name) {
        Backend::Port => waits_in_queue(pid),
        Backend::Tcp => queued(name, pid) > 0 || connections_to_locks(pid) > 0,
        _ => queued(name, pid) > 0 || sleepers(name) > 0,
    }
}

/// How many sleep in the semaphore, as glibc counts them (`struct new_sem` in its `internaltypes.h`).
pub fn sleepers(name: &str) -> u32 {
    /// The upper half of a word of 64 bits, whose lower half is the value; with a word size of 32 bits, a
    /// number of its own.
    const COUNT: std::ops::Range<usize> =
        match (cfg!(target_pointer_width = "64"), cfg!(target_endian = "little")) {
            (true, true) => 4..8,
            (true, false) => 0..4,
            (false, _) => 12..16,
        };

    let semaphore = std::fs::read(format!("/dev/shm/sem.{name}")).unwrap_or_default();
    semaphore.get(COUNT).map_or(0, |count| u32::from_ne_bytes(count.try_into().unwrap()))
}

/// The lock of this name, of the backend that it tells.
pub fn open(name: &str) -> Lock {
    Lock::open(backend(name), name).unwrap()
}

pub fn backend(name: &str) -> Backend {
    if name.ends_with(SEMAPHORE) {
        Backend::Semaphore
    } else if name.ends_with(TCP) {
        Backend::Tcp
    } else {
        Backend::Port
    }
}

/// A role: holds the lock until it is told something, or until its input ends.
pub fn hold(name: &str) {
    let guard = open(name).with().timeout(LONG).info("the test's holder").acquire().unwrap();
    say("holding");
    release_when_told(guard);
}

/// Then it lives on until it is told once more, or until its input ends.
fn release_when_told(guard: LockGuard) {
    if listen().is_some() {
        drop(guard);
        say("released");
        listen();
    }
}

/// A child that lives and was made without at-fork handlers: it has copies of all sockets.
#[allow(unsafe_code)] // a raw clone
pub fn keep_copies_in_a_child() -> u32 {
    use nix::libc;

    // SAFETY: the child is a copy of this process with one thread, which does nothing but end.
    let child = unsafe { raw_clone::clone(0) };
    if child == 0 {
        // SAFETY: as above.
        unsafe {
            libc::alarm(60);
            libc::prctl(libc::PR_SET_PDEATHSIG, 0);
            loop {
                libc::pause();
            }
        }
    }
    u32::try_from(child).unwrap()
}

/// Ends a child, or another one's that its parent has left.
pub fn end_child(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(pid.try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    let _ = nix::sys::wait::waitpid(pid, None);
}

/// What a child does that is a process of its own to each lock, while its parent holds and then lets go.
pub fn acquire_as_a_child(lock: &Lock, parent: u32) {
    match lock.try_acquire() {
        Err(LockError::Timeout { holder: Some(holder), .. }) => {
            say(&format!("held by the parent: {}", holder.pid == Some(parent)));
        }
        other => say(&format!("{other:?}")),
    }
    let guard = lock.acquire(LONG).unwrap();
    let holder = lock.holder().unwrap().unwrap();
    say(&format!("held by the child: {}", holder.pid == Some(std::process::id())));
    assert!(matches!(lock.acquire(LONG), Err(LockError::WouldDeadlock { .. })));
    drop(guard);
    drop(lock.try_acquire().unwrap());
}

/// For the rest of this process, which has to be root's.
pub fn become_user(user: u32) {
    setgroups(&[]).unwrap();
    setgid(Gid::from_raw(user)).unwrap();
    setuid(Uid::from_raw(user)).unwrap();
}

/// A role: waits for the lock, and says that it came.
pub fn wait(name: &str) {
    let lock = open(name);
    say("waiting");
    let guard = lock.acquire(LONG).unwrap();
    say("acquired");
    release_when_told(guard);
}

/// Whether somebody else held the lock all the time.
pub fn is_timeout<T>(result: &Result<T, LockError>) -> bool {
    matches!(result, Err(LockError::Timeout { .. }))
}
