//! Children that are made without the handlers of `pthread_atfork(3)`: by `_Fork`, `clone` and `clone3`.
//! They hold nothing of what their parent holds, whatever they do with their copy of a guard.

#![allow(unsafe_code)] // raw clones, signal handlers

mod support;

use std::os::fd::AsFd;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Lock, LockError, LockGuard};
use nix::libc;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::Pid;
use support::{
    acquire_as_a_child, emulator, eventually, is_timeout, listen, on_each_backend, open, raw_clone,
    say, unique_names, wait, waits,
};
use support::{Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("wait", wait),
        ("drop in a child", drop_in_a_child),
        ("drop in a child while busy", drop_in_a_child_while_busy),
        ("acquire in a child", acquire_in_a_child),
        ("clone while files are opened anew", clone_while_files_are_opened_anew),
        ("leave copies", leave_copies),
        ("share descriptors", share_descriptors),
        ("fork in a signal handler", fork_in_a_signal_handler),
        ("a thousand forks", a_thousand_forks),
    ]);
}

/// Makes a child; its pid in the parent, 0 in the child.
type Clone = fn() -> libc::c_long;

const CLONES: [(&str, Clone); 3] =
    [("_Fork", underscore_fork), ("clone", clone), ("clone3", clone3)];

fn underscore_fork() -> libc::c_long {
    extern "C" {
        /// glibc 2.34, POSIX.1-2024: `fork` without the handlers.
        fn _Fork() -> libc::pid_t;
    }
    // SAFETY: the callers do in the child what is under test here.
    unsafe { _Fork() }.into()
}

fn clone() -> libc::c_long {
    // SAFETY: as above.
    unsafe { raw_clone::clone(0) }
}

fn clone3() -> libc::c_long {
    // SAFETY: as above.
    unsafe { raw_clone::clone3() }
}

/// Runs `child` in a new child; its pid.
fn in_a_child(clone: impl FnOnce() -> libc::c_long, child: impl FnOnce()) -> Pid {
    match clone() {
        0 => {
            child();
            // SAFETY: ends the process, with nothing that its parent would have done at its end.
            unsafe { libc::_exit(0) }
        }
        pid => Pid::from_raw(pid.try_into().unwrap()),
    }
}

fn ended_well(child: Pid) -> bool {
    matches!(waitpid(child, None).unwrap(), WaitStatus::Exited(_, 0))
}

fn clone_named(name: &str) -> Clone {
    CLONES.iter().find(|(known, _)| *known == name).unwrap().1
}

/// The ways to make a child that there are.
fn clones() -> impl Iterator<Item = &'static str> {
    let names = CLONES.iter().map(|(name, _)| *name);
    names.filter(|name| *name != "clone3" || raw_clone::has_clone3())
}

/// Runs a test for each backend and each way to make a child, with a role's argument for both.
fn on_each_clone(what: &str, test: impl Fn(&str, &str)) {
    for clone in clones() {
        on_each_backend(&format!("{what}-{clone}"), |name| test(name, &format!("{name} {clone}")));
    }
}

fn parsed(argument: &str) -> (Lock, Clone) {
    let (name, clone) = argument.split_once(' ').unwrap();
    (open(name), clone_named(clone))
}

fn drop_in_a_child(argument: &str) {
    let (lock, clone) = parsed(argument);
    let mut guard = Some(lock.acquire(LONG).unwrap());
    say("holding");
    listen();
    let child = in_a_child(clone, || drop(guard.take()));
    say(&format!("child ended well: {}", ended_well(child)));
    listen();
    drop(guard);
    say("released");
    listen();
}

#[test]
fn a_guard_dropped_in_a_child_neither_frees_the_lock_nor_hands_it_to_a_waiter() {
    drops_its_copy_in_a_child("clone-drop", &[]);
}

#[test]
fn nor_does_one_where_an_emulator_claims_to_wipe_pages_and_does_not() {
    if let Some(emulator) = emulator() {
        drops_its_copy_in_a_child("clone-emulated", &[&emulator]);
    }
}

fn drops_its_copy_in_a_child(what: &str, program: &[&str]) {
    on_each_clone(what, |name, argument| {
        if !program.is_empty() && argument.ends_with("clone3") {
            return; // qemu knows no clone3
        }
        let lock = open(name);
        let mut holder = Actor::start_under(program, "drop in a child", argument);
        holder.expect("holding");
        let mut waiter = Actor::start("wait", name);
        waiter.expect("waiting");
        eventually("the waiter waits", || waits(name, waiter.pid()));
        holder.tell("clone");
        holder.expect("child ended well: true");
        let refused = lock.acquire(Duration::from_millis(100)).unwrap_err();
        assert!(
            matches!(&refused, LockError::Timeout { holder: Some(named), .. }
                if named.pid == Some(holder.pid())),
            "{refused}"
        );
        holder.tell("release");
        holder.expect("released");
        waiter.expect("acquired");
        waiter.end();
        holder.end();
        drop(lock.acquire(LONG).unwrap());
    });
}

/// While other threads are in and out of everything that a child must not find half way.
fn drop_in_a_child_while_busy(argument: &str) {
    let (lock, clone) = parsed(argument);
    let name = lock.name().to_owned();
    let ends = AtomicBool::new(false);
    let is_ended = || ends.load(Ordering::Relaxed);
    thread::scope(|scope| {
        for number in 0..3 {
            // Which is removed with the lock, and has its backend.
            let kind = name.rsplit('.').next().unwrap_or_default();
            let busy = open(&format!("{name}-{number}.{kind}"));
            scope.spawn(move || {
                while !is_ended() {
                    drop(busy.acquire(LONG).unwrap());
                }
            });
        }
        let start = Instant::now();
        let mut children = 0;
        while start.elapsed() < Duration::from_millis(300) || children < 30 {
            let mut guard = Some(lock.acquire(LONG).unwrap());
            let child = in_a_child(clone, || drop(guard.take()));
            assert!(ended_well(child));
            assert!(lock.is_locked().unwrap());
            drop(guard);
            children += 1;
        }
        ends.store(true, Ordering::Relaxed);
    });
    say("all ended well");
}

#[test]
fn a_child_that_drops_a_guard_waits_for_no_thread_that_it_does_not_have() {
    on_each_clone("clone-busy", |name, argument| {
        let mut actor = Actor::start("drop in a child while busy", argument);
        actor.expect("all ended well");
        actor.end();
        (0..3).for_each(|number| support::remove(&format!("{number}-{name}")));
    });
}

fn acquire_in_a_child(argument: &str) {
    let (lock, clone) = parsed(argument);
    let guard = lock.acquire(LONG).unwrap();
    let parent = std::process::id();
    let mut copy = Some(guard);
    let child = in_a_child(clone, || {
        drop(copy.take());
        acquire_as_a_child(&lock, parent);
        // A hold that its death ends.
        lock.acquire(LONG).map(LockGuard::abandon).unwrap();
    });
    listen();
    drop(copy);
    say(&format!("child ended well: {}", ended_well(child)));
    let guard = lock.acquire(LONG).unwrap();
    let dead = guard.recovered_from().and_then(|dead| dead.pid);
    say(&format!("recovered from the child: {}", dead == Some(child.as_raw().try_into().unwrap())));
    let holder = lock.holder().unwrap().unwrap();
    say(&format!("held by the parent: {}", holder.pid == Some(parent)));
}

#[test]
fn a_child_acquires_as_a_process_of_its_own() {
    on_each_clone("clone-acquire", |_, argument| {
        let mut parent = Actor::start("acquire in a child", argument);
        parent.expect("held by the parent: true");
        parent.tell("release");
        parent.expect("held by the child: true");
        parent.expect("child ended well: true");
        parent.expect("recovered from the child: true");
        parent.expect("held by the parent: true");
        parent.end();
    });
}

/// While other threads open the lock's files again and again. The child takes the same lock.
fn clone_while_files_are_opened_anew(argument: &str) {
    const CHILDREN: u32 = 60;

    let (lock, clone) = parsed(argument);
    let path = format!("/dev/shm/sem.{}", lock.name());
    let ends = AtomicBool::new(false);
    let (mut well, mut hung) = (0, 0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    let _ = std::fs::remove_file(&path);
                    drop(open(lock.name()).acquire(LONG));
                    drop(lock.acquire(LONG));
                }
            });
        }
        for _ in 0..CHILDREN {
            let child = in_a_child(clone, || {
                // A thread that the child does not have may have been inside the allocator: that ends it.
                // SAFETY: takes a number.
                unsafe { libc::alarm(2) };
                let _ = lock.acquire(Duration::from_millis(300)).map(drop);
            });
            match waitpid(child, None).unwrap() {
                WaitStatus::Exited(_, 0) => well += 1,
                WaitStatus::Signaled(_, nix::sys::signal::Signal::SIGALRM, _) => hung += 1,
                other => panic!("{other:?}"),
            }
        }
        ends.store(true, Ordering::Relaxed);
    });
    say(&format!("most ended well: {}", well > hung));
}

#[test]
fn a_child_follows_nothing_that_a_thread_of_its_parent_was_just_opening() {
    for clone in clones() {
        let name = support::unique_semaphore(&format!("clone-anew-{clone}"));
        let mut parent =
            Actor::start("clone while files are opened anew", &format!("{name} {clone}"));
        parent.expect("most ended well: true");
        parent.end();
    }
}

/// The child uses another lock, and lives on after its parent has released.
fn leave_copies(argument: &str) {
    let (lock, clone) = parsed(argument);
    let other = open(&format!("other-{}", lock.name()));
    let (guard, sibling) = (lock.acquire(LONG).unwrap(), other.acquire(LONG).unwrap());
    drop(sibling);
    let child = in_a_child(clone, || {
        drop(other.acquire(LONG).unwrap());
        say("child used another lock");
        let stdin = std::io::stdin();
        let mut input = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
        while poll(&mut input, PollTimeout::NONE).is_err() {}
    });
    listen();
    drop(guard);
    say("released");
    listen();
    assert!(ended_well(child));
}

#[test]
fn a_child_that_uses_any_lock_lets_go_of_the_copies_it_has() {
    on_each_clone("clone-copies", |name, argument| {
        let mut parent = Actor::start("leave copies", argument);
        parent.expect("child used another lock");
        assert!(is_timeout(&open(name).try_acquire()));
        parent.tell("release");
        parent.expect("released");
        drop(open(name).try_acquire().unwrap());
        support::remove_record(&format!("other-{name}"));
        support::remove(&format!("other-{name}"));
    });
}

/// The child has its parent's descriptors themselves (`CLONE_FILES`), and uses another lock.
fn share_descriptors(argument: &str) {
    let (name, how) = argument.split_once(' ').unwrap();
    let lock = open(name);
    let other = open(&format!("other-{name}"));
    let mut flags = libc::CLONE_FILES;
    match how {
        "plain" => {}
        "in another pid namespace" => flags |= libc::CLONE_NEWPID,
        _ => become_opaque(),
    }
    let guard = lock.acquire(LONG).unwrap();
    // SAFETY: as a fork, but for the descriptors.
    let clone = || unsafe { raw_clone::clone(flags) };
    let child = in_a_child(clone, || drop(other.acquire(LONG).unwrap()));
    say(&format!("child ended well: {}", ended_well(child)));
    listen();
    drop(guard);
    drop(lock.try_acquire().unwrap());
    say("free again");
}

/// Another user that may not compare its own processes (prctl(2), `PR_SET_DUMPABLE`).
fn become_opaque() {
    support::become_user(65534);
    // SAFETY: the call takes numbers only.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }, 0);
}

#[test]
fn a_child_with_its_parents_descriptors_closes_none() {
    for how in ["plain", "in another pid namespace", "opaque"] {
        if how != "plain" && !nix::unistd::Uid::effective().is_root() {
            println!("skipped, {how}: needs root");
            continue;
        }
        on_each_backend("clone-files", |name| {
            let mut parent = Actor::start("share descriptors", &format!("{name} {how}"));
            parent.expect("child ended well: true");
            assert!(open(name).is_locked().unwrap(), "{how}");
            parent.tell("release");
            parent.expect("free again");
            parent.end();
            support::remove_record(&format!("other-{name}"));
            support::remove(&format!("other-{name}"));
            // What it left as another user.
            support::remove_record_of(65534.into(), &format!("other-{name}"));
        });
    }
}

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Makes a child as fast as signals come, and lets it end at once.
extern "C" fn fork_and_end(_: libc::c_int) {
    // SAFETY: what is under test: the child calls nothing but `_exit`.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::_exit(0);
        }
        libc::waitpid(pid, ptr::null_mut(), 0);
    }
    FORKS.fetch_add(1, Ordering::Relaxed);
}

fn fork_in_a_signal_handler(name: &str) {
    const FORKS_AT_LEAST: u32 = 300;

    let lock = open(name);
    // The first use allocates, and glibc's own fork waits for an allocator that its handler has interrupted.
    drop(lock.acquire(LONG).unwrap());
    // SAFETY: the handler is a function of this program; the timer's numbers are plain data.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = fork_and_end as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGPROF, &action, ptr::null_mut()), 0);
    }
    // By its number: musl's `pthread_t` is a pointer, which no other thread may have.
    let (process, this) = (std::process::id(), nix::unistd::gettid());
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                // SAFETY: the arguments are numbers, and the thread waits for this one.
                let sent = unsafe {
                    libc::syscall(libc::SYS_tgkill, process, this.as_raw(), libc::SIGPROF)
                };
                assert_eq!(sent, 0);
                thread::sleep(Duration::from_millis(1));
            }
        });
        let mut count = 0;
        while FORKS.load(Ordering::Relaxed) < FORKS_AT_LEAST {
            let guard = lock.acquire(LONG).unwrap();
            count += 1;
            drop(guard);
        }
        ends.store(true, Ordering::Relaxed);
        assert!(count > 0);
    });
    say("forked all along");
    listen();
}

#[test]
fn a_fork_in_a_signal_handler_does_not_wait_for_the_thread_it_has_interrupted() {
    // A TCP lock allocates each time.
    for name in unique_names("clone-signal") {
        let name: &str = &name;
        let mut actor = Actor::start("fork in a signal handler", name);
        actor.expect("forked all along");
        drop(open(name).acquire(LONG).unwrap());
        actor.end();
    }
}

/// Each of many threads forks a child that tries to get in, while one holds.
fn a_thousand_forks(name: &str) {
    const THREADS: usize = 1_000;

    let lock = open(name);
    let guard = lock.acquire(LONG).unwrap();
    let got_in = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // SAFETY: the child tries the lock, and leaves by `_exit`.
                match unsafe { nix::unistd::fork() }.unwrap() {
                    nix::unistd::ForkResult::Child => {
                        let code = i32::from(lock.try_acquire().is_ok());
                        // SAFETY: as above.
                        unsafe { libc::_exit(code) }
                    }
                    nix::unistd::ForkResult::Parent { child } => {
                        got_in.fetch_add(u32::from(!ended_well(child)), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    say(&format!("got in: {}", got_in.load(Ordering::Relaxed)));
    drop(guard);
    drop(lock.acquire(LONG).unwrap());
    say("free again");
}

#[test]
fn a_thousand_threads_that_fork_let_nobody_in_and_hang_nowhere() {
    on_each_backend("clone-thousand", |name| {
        let mut actor = Actor::start("a thousand forks", name);
        actor.expect("got in: 0");
        actor.expect("free again");
        actor.end();
    });
}
