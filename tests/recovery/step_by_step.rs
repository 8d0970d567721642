//! A death at each instruction, one after the other.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use nix::libc;
use nix::sys::signal::{raise, Signal};
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{fork, ForkResult, Pid};

use lockattr::Lock;

use crate::support::{open, remove_semaphore, unique_semaphore, LONG};
use crate::LONG_TEXT;

const SEMAPHORE_BYTES: usize = std::mem::size_of::<libc::sem_t>();
const PAGE_BYTES: usize = 4096;
/// Where the owner word is: see the runtime's record/layout.rs.
const OWNER: usize = 3584 + 16;

/// Both files of a lock, as a death at some instruction leaves them.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Files {
    semaphore: [u8; SEMAPHORE_BYTES],
    page: [u8; PAGE_BYTES],
}

impl Files {
    fn has_owner(&self) -> bool {
        self.page[OWNER..][..8] != [0; 8]
    }
}

struct Shared {
    semaphore: File,
    page: File,
}

impl Shared {
    fn of(name: &str) -> Self {
        let open = |path| File::options().read(true).write(true).open(path).unwrap();
        Self {
            semaphore: open(format!("/dev/shm/sem.{name}")),
            page: open(format!("/dev/shm/{name}")),
        }
    }

    fn read(&self) -> Files {
        let mut files = Files { semaphore: [0; SEMAPHORE_BYTES], page: [0; PAGE_BYTES] };
        self.semaphore.read_exact_at(&mut files.semaphore, 0).unwrap();
        self.page.read_exact_at(&mut files.page, 0).unwrap();
        files
    }

    fn write(&self, files: &Files) {
        self.page.write_all_at(&files.page, 0).unwrap();
        self.semaphore.write_all_at(&files.semaphore, 0).unwrap();
    }
}

fn trace(request: libc::c_uint, pid: libc::pid_t) -> libc::c_long {
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: PTRACE_TRACEME, PTRACE_SYSCALL and PTRACE_SINGLESTEP read and write no memory (ptrace(2)).
    unsafe { libc::ptrace(request, pid, nothing, nothing) }
}

/// Takes the lock and gives it back, in a process that stops before and after.
fn take_between_stops(name: &str, text: &str) -> Pid {
    // SAFETY: the child calls what is under test here, and ends by a signal.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let lock = open(name);
            if trace(libc::PTRACE_TRACEME, 0) != 0 {
                // SAFETY: ends the process, without a test harness's exit handlers.
                unsafe { libc::_exit(1) };
            }
            raise(Signal::SIGSTOP).unwrap();
            drop(lock.with().timeout(LONG).info(text).acquire());
            loop {
                raise(Signal::SIGSTOP).unwrap();
            }
        }
        ForkResult::Parent { child } => child,
    }
}

/// Lets the child go on from system call to system call until it has the file in its memory: before that it
/// cannot change it, and there are millions of instructions (it looks for a port lock of the name).
fn run_until_it_has_mapped(child: Pid, file: &str) {
    let maps = format!("/proc/{child}/maps");
    loop {
        assert_eq!(trace(libc::PTRACE_SYSCALL, child.as_raw()), 0);
        match waitpid(child, None).unwrap() {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            other => panic!("{other:?}"),
        }
        if std::fs::read_to_string(&maps).unwrap().lines().any(|line| line.ends_with(file)) {
            return;
        }
    }
}

/// All that a death can leave of an acquire and a release, with the number of instructions that it
/// stands for. None where this process may trace none.
fn every_death(name: &str, text: &str) -> Option<Vec<(Files, usize)>> {
    let child = take_between_stops(name, text);
    if let WaitStatus::Exited(..) = waitpid(child, None).unwrap() {
        println!("skipped: this process may not trace another one (ptrace(2))");
        return None;
    }
    run_until_it_has_mapped(child, &format!("/dev/shm/{name}"));
    let shared = Shared::of(name);
    let mut found = vec![(shared.read(), 0)];
    loop {
        assert_eq!(trace(libc::PTRACE_SINGLESTEP, child.as_raw()), 0);
        match waitpid(child, None).unwrap() {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            // It comes from `raise` in the child: the first stop is over, or this is the second.
            WaitStatus::Stopped(_, Signal::SIGSTOP) => break,
            other => panic!("{other:?}"),
        }
        let files = shared.read();
        let (last, count) = found.last_mut().unwrap();
        if *last == files {
            *count += 1;
        } else {
            found.push((files, 1));
        }
    }
    nix::sys::signal::kill(child, Signal::SIGKILL).unwrap();
    waitpid(child, None).unwrap();
    Some(found)
}

/// What another program's text is over: nothing of lockattr's is known about it.
const FOREIGN: &[u8] = b"2024-10-20 16:00:51.864484 - a program of resourcelock\0";

#[test]
fn an_owner_that_died_at_any_instruction_is_inherited_from() {
    thread::scope(|scope| {
        for is_over_a_foreign_text in [false, true] {
            for length in [20, LONG_TEXT] {
                scope.spawn(move || die_everywhere(is_over_a_foreign_text, &"i".repeat(length)));
            }
        }
    });
}

fn die_everywhere(is_over_a_foreign_text: bool, text: &str) {
    let name = unique_semaphore("step");
    drop(open(&name).with().timeout(LONG).info("before").acquire().unwrap());
    let shared = Shared::of(&name);
    if is_over_a_foreign_text {
        shared.page.write_all_at(FOREIGN, 0).unwrap();
    }
    if let Some(found) = every_death(&name, text) {
        check(&open(&name), &shared, &found);
    }
    remove_semaphore(&name);
}

fn check(lock: &Lock, shared: &Shared, found: &[(Files, usize)]) {
    let mut tried = HashSet::new();
    let mut inherited = 0;
    let mut lost = Vec::new();
    for (files, instructions) in found {
        if !tried.insert(files) {
            continue;
        }
        shared.write(files);
        let timeout = if files.has_owner() { LONG } else { Duration::from_millis(30) };
        match lock.acquire(timeout) {
            Ok(_) => inherited += 1,
            Err(error) => {
                assert!(!files.has_owner(), "{error}");
                lost.push(*instructions);
            }
        }
    }
    println!(
        "{} states, {inherited} inherited or free, {lost:?} instructions without an owner's word",
        found.len()
    );
    assert!(inherited > 20, "the child has done something: {inherited}");
    // From the unit to the mark, from there to the word, and from the cleared word to the unit.
    assert_eq!(lost.len(), 3);
}
