//! Which process holds, where that changes or cannot be seen: `exec`, namespaces, users, `/proc`.
//!
//! Most of these need root, and say so where they are skipped.

#![allow(unsafe_code)] // fork

mod support;

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use lockattr::{Backend, Lock, LockError};
use nix::mount::{mount, MsFlags};
use nix::sched::{unshare, CloneFlags};
use nix::sys::signal::{kill, Signal};
use nix::unistd::{setgid, setgroups, setuid, Gid, Pid, Uid};
use support::{emulator, eventually, hold, is_timeout, listen, on_each_backend, open};
use support::{remove_semaphore, say, unique_name, unique_semaphore, wait, waits, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("execute", execute),
        ("resumes", resumes),
        ("change network", change_network),
        ("hold as another", hold_as_another),
        ("change user", change_user),
        ("hold without proc", hold_without_proc),
        ("wait without proc", wait_without_proc),
        ("hold and say who", hold_and_say_who),
        ("wait with hidden proc", wait_with_hidden_proc),
        ("wait for a while", wait_for_a_while),
        ("rob a neighbour", rob_a_neighbour),
        ("change time", change_time),
        ("wait", wait),
    ]);
}

/// Whether a command that does nothing but try a privilege succeeds.
fn may(command: &[&str]) -> bool {
    let status = Command::new(command[0]).args(&command[1..]).arg("true").status();
    let may = status.is_ok_and(|status| status.success());
    if !may {
        println!("skipped: this user may not {}", command.join(" "));
    }
    may
}

fn is_root() -> bool {
    let is_root = Uid::effective().is_root();
    if !is_root {
        println!("skipped: only root can become another user");
    }
    is_root
}

/// A program's addresses are the same after each `exec`.
const NOT_RANDOM: [&str; 2] = ["setarch", "-R"];

/// Takes the lock, and becomes another program in a role whose name has as many letters.
fn execute(argument: &str) {
    let (name, _) = argument.split_once(' ').unwrap();
    let guard = open(name).acquire(LONG).unwrap();
    say("holding");
    listen();
    let error = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "role", "--nocapture", "--test-threads=1"])
        .env("LOCKATTR_TEST_ROLE", "resumes")
        .env("LOCKATTR_TEST_ARGUMENT", argument)
        .exec();
    drop(guard);
    panic!("{error}");
}

fn resumes(argument: &str) {
    let (name, what) = argument.split_once(' ').unwrap();
    say("executed");
    if what == "again" {
        let lock = open(name);
        let is_locked = lock.is_locked().unwrap();
        let guard = lock.acquire(LONG).unwrap();
        let dead = guard.recovered_from().and_then(|dead| dead.pid);
        let own = dead == Some(std::process::id());
        say(&format!("locked: {is_locked}, recovered from itself: {own}"));
        drop(guard);
        drop(lock.acquire(LONG).unwrap());
        say("again");
    }
    listen();
}

#[test]
fn a_program_that_was_replaced_by_exec_holds_no_more_where_addresses_are_not_random() {
    if !may(&NOT_RANDOM) {
        return;
    }
    on_each_backend("exec", |name| {
        let mut actor = Actor::start_under(&NOT_RANDOM, "execute", &format!("{name} idle"));
        actor.expect("holding");
        let lock = open(name);
        assert!(is_timeout(&lock.acquire(Duration::from_millis(150))));
        actor.tell("execute");
        actor.expect("executed");
        let guard = lock.acquire(Duration::from_secs(5)).unwrap();
        assert_eq!(guard.recovered_from().unwrap().pid, Some(actor.pid()));
        drop(guard);
        actor.end();
    });
}

#[test]
fn a_program_takes_back_what_the_one_before_it_left_where_addresses_are_not_random() {
    if !may(&NOT_RANDOM) {
        return;
    }
    on_each_backend("exec-again", |name| {
        let mut actor = Actor::start_under(&NOT_RANDOM, "execute", &format!("{name} again"));
        actor.expect("holding");
        actor.tell("execute");
        actor.expect("executed");
        actor.expect("locked: false, recovered from itself: true");
        actor.expect("again");
        actor.end();
    });
}

#[test]
fn a_holder_in_another_network_namespace_that_executes_something_holds_no_more() {
    if !may(&["unshare", "--net"]) {
        return;
    }
    let name = unique_name("exec-network");
    for random in [&["unshare", "--net"][..], &["setarch", "-R", "unshare", "--net"]] {
        let mut actor = Actor::start_under(random, "execute", &format!("{name} idle"));
        actor.expect("holding");
        let lock = open(&name);
        let error = lock.acquire(LONG).unwrap_err();
        assert!(matches!(error, LockError::OtherNamespace { .. }), "{error:?}");
        actor.tell("execute");
        actor.expect("executed");
        drop(lock.acquire(LONG).unwrap());
        actor.end();
    }
}

/// Uses a lock, and then asks for another one from another network namespace: that of one thread.
fn change_network(name: &str) {
    drop(open(&format!("other-{name}")).acquire(LONG).unwrap());
    let says = |lock: &Lock| match lock.acquire(Duration::from_millis(20)) {
        Ok(guard) => format!("acquired, recovered: {}", guard.recovered_from().is_some()),
        Err(LockError::OtherNamespace { .. }) => "another namespace".to_owned(),
        Err(error) if error.is_timeout() => "timeout".to_owned(),
        Err(error) => error.to_string(),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            say(&says(&open(name)));
        });
    });
    say(&says(&open(name)));
}

#[test]
fn a_thread_that_changes_its_network_namespace_is_told_that_the_lock_does_not_reach_there() {
    if !may(&["unshare", "--net"]) {
        return;
    }
    let name = unique_name("change-network");
    let guard = open(&name).acquire(LONG).unwrap();
    let mut actor = Actor::start("change network", &name);
    actor.expect("another namespace");
    actor.expect("timeout"); // from the thread that has stayed
    drop(guard);
    actor.end();
}

/// `nobody`.
const ANOTHER: u32 = 65534;

fn become_another() {
    setgroups(&[]).unwrap();
    setgid(Gid::from_raw(ANOTHER)).unwrap();
    setuid(Uid::from_raw(ANOTHER)).unwrap();
}

fn hold_as_another(name: &str) {
    become_another();
    hold(name);
}

/// Uses a lock as root, and another one as another user.
fn change_user(name: &str) {
    let lock = open(name);
    let other = open(&format!("{}-other", lock.name()));
    drop(other.acquire(LONG).unwrap());
    say("ready");
    listen();
    if lock.backend() == Backend::Port {
        drop(lock.acquire(LONG).unwrap()); // root's record of it is open
    }
    become_another();
    let guard = lock.acquire(LONG).unwrap();
    match guard.recovered_from() {
        Some(dead) => say(&format!("recovered from {:?} in {:?}", dead.pid, dead.info)),
        None => say("nobody died"),
    }
    let holder = lock.holder().unwrap().unwrap();
    say(&format!("held by user {}, info: {}", holder.uid.unwrap(), holder.info.is_some()));
}

#[test]
fn a_process_that_changes_its_user_is_told_of_that_users_dead() {
    if !is_root() {
        return;
    }
    on_each_backend("change-user", |name| {
        let mut actor = Actor::start("change user", name);
        actor.expect("ready");
        let mut holder = Actor::start("hold as another", name);
        holder.expect("holding");
        let dead = holder.pid();
        holder.kill();
        actor.tell("go");
        actor.expect(&format!(
            "recovered from {:?} in {:?}",
            Some(dead),
            Some("the test's holder")
        ));
        actor.expect(&format!("held by user {ANOTHER}, info: true"));
        actor.end();
        remove_semaphore(&format!("{name}-other"));
    });
}

/// In a mount namespace of its own, in which `/proc` is empty.
fn hide_proc() {
    leave_mounts();
    let nothing = None::<&str>;
    mount(Some("tmpfs"), "/proc", Some("tmpfs"), MsFlags::empty(), nothing).unwrap();
}

fn leave_mounts() {
    let nothing = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).unwrap();
}

fn hold_without_proc(name: &str) {
    hide_proc();
    hold(name);
}

fn wait_without_proc(name: &str) {
    hide_proc();
    let lock = open(name);
    say(&format!("timeout: {}", is_timeout(&lock.acquire(Duration::from_millis(100)))));
    let guard = lock.acquire(LONG).unwrap();
    say("acquired");
    listen();
    drop(guard);
}

#[test]
fn a_holder_that_has_no_proc_is_kept_while_it_lives_and_replaced_when_it_dies() {
    if !may(&["unshare", "--mount"]) {
        return;
    }
    // A lock that it makes itself, and one that is there.
    for is_there in [false, true] {
        on_each_backend("no-proc", |name| {
            let lock = open(name);
            if is_there {
                drop(lock.acquire(LONG).unwrap());
            }
            let mut holder = Actor::start("hold without proc", name);
            holder.expect("holding");
            assert!(is_timeout(&lock.acquire(Duration::from_millis(150))));
            holder.kill();
            drop(lock.acquire(Duration::from_secs(5)).unwrap());
        });
    }
}

#[test]
fn a_waiter_that_has_no_proc_robs_nobody_and_replaces_the_dead() {
    if !may(&["unshare", "--mount"]) {
        return;
    }
    on_each_backend("waits-no-proc", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut waiter = Actor::start("wait without proc", name);
        waiter.expect("timeout: true");
        holder.kill();
        waiter.expect("acquired");
        waiter.end();
    });
}

/// In a pid namespace of its own, to which the `/proc` of the outer one is mounted: beside a holder that has
/// its own, or has not either, and beside one that has died.
fn rob_a_neighbour(name: &str) {
    const OWN_PROC: [&str; 3] = ["unshare", "--mount", "--mount-proc"];

    let lock = open(name);
    for program in [&OWN_PROC[..], &[]] {
        let mut holder = Actor::start_under(program, "hold", name);
        holder.expect("holding");
        let refused = lock.acquire(Duration::from_millis(100));
        say(&format!("timeout: {}", is_timeout(&refused)));
        // It names its command only if that is looked up where its pid means it.
        let holder_now = lock.holder().unwrap().unwrap();
        say(&format!(
            "command: {}",
            holder_now.command.is_some_and(|it| it.starts_with("identity"))
        ));
        holder.kill();
        drop(lock.acquire(Duration::from_secs(5)).unwrap());
        say("free again");
    }
}

#[test]
fn the_proc_of_another_pid_namespace_tells_nothing() {
    if !may(&["unshare", "--pid", "--fork"]) {
        return;
    }
    on_each_backend("alien-proc", |name| {
        // Pids that are taken outside: its first ones are those of the kernel's threads there.
        let mut actor =
            Actor::start_under(&["unshare", "--pid", "--fork"], "rob a neighbour", name);
        for _ in 0..2 {
            actor.expect("timeout: true");
            actor.hear();
            actor.expect("free again");
        }
        actor.end();
    });
}

/// Uses a lock, enters another time namespace, and asks for one that another process holds.
fn change_time(name: &str) {
    drop(open(&format!("{name}-other")).acquire(LONG).unwrap());
    let other = SHIFTED.iter().chain(&["sleep", "60"]).skip(1);
    let mut shifted = Command::new(SHIFTED[0]).args(other).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", shifted.id());
    let mut path = String::new();
    eventually("it has a child", || {
        path = std::fs::read_to_string(&children).unwrap();
        !path.is_empty()
    });
    // Only a process of one thread may enter another time namespace: a forked child is one.
    // SAFETY: the child tries the lock, says what came of it, and ends.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            // The child finds out who it is, and moves then.
            drop(open(&format!("{name}-other")).acquire(LONG).unwrap());
            let namespace = std::fs::File::open(format!("/proc/{}/ns/time", path.trim())).unwrap();
            nix::sched::setns(namespace, CloneFlags::from_bits_retain(0x80)).unwrap();
            let refused = open(name).acquire(Duration::from_millis(100));
            say(&format!("timeout: {}", is_timeout(&refused)));
            // SAFETY: ends the child.
            unsafe { nix::libc::_exit(0) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).unwrap();
        }
    }
    shifted.kill().unwrap();
    shifted.wait().unwrap();
    remove_semaphore(&format!("{name}-other"));
}

#[test]
fn a_process_that_enters_another_time_namespace_robs_nobody() {
    if !may(&SHIFTED) {
        return;
    }
    on_each_backend("change-time", |name| {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut actor = Actor::start("change time", name);
        actor.expect("timeout: true");
        actor.end();
        holder.end();
    });
}

/// As containers with a network and pids of their own, and the host's shared memory.
#[test]
fn a_holder_that_may_live_in_another_pid_and_network_namespace_is_not_said_to_have_died() {
    const CONTAINED: [&str; 5] = ["unshare", "--net", "--pid", "--fork", "--mount-proc"];

    if !may(&CONTAINED) {
        return;
    }
    let name = unique_name("contained");
    let mut holder = Actor::start_under(&CONTAINED, "hold", &name);
    holder.expect("holding");
    let guard = open(&name).acquire(LONG).unwrap();
    assert!(guard.recovered_from().is_none(), "{:?}", guard.recovered_from());
    drop(guard);
    holder.end();
}

fn hold_and_say_who(name: &str) {
    say(&std::process::id().to_string());
    hold(name);
}

/// In a time namespace in which all that has begun has begun later.
const SHIFTED: [&str; 8] =
    ["unshare", "--time", "--monotonic", "5000", "--boottime", "5000", "--fork", "--kill-child"];

#[test]
fn a_holder_in_another_time_namespace_is_kept_while_it_lives_and_replaced_when_it_dies() {
    const SHIFTED: [&str; 8] = [
        "unshare",
        "--time",
        "--monotonic",
        "5000",
        "--boottime",
        "5000",
        "--fork",
        "--kill-child",
    ];

    if !may(&SHIFTED) {
        return;
    }
    on_each_backend("time", |name| {
        let lock = open(name);
        let mut holder = Actor::start_under(&SHIFTED, "hold and say who", name);
        let pid: i32 = holder.hear().parse().unwrap();
        holder.expect("holding");
        assert!(is_timeout(&lock.acquire(Duration::from_millis(150))));
        let named = lock.holder().unwrap().unwrap();
        assert_eq!(named.pid, Some(pid.try_into().unwrap()), "{named}");
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        drop(lock.acquire(Duration::from_secs(5)).unwrap());
    });
}

#[test]
fn a_holder_on_an_emulated_processor_is_kept_while_it_lives_and_replaced_when_it_dies() {
    let Some(emulator) = emulator() else { return };
    let emulator: &[&str] = &[&emulator];
    // Each looks at the other, or at one of its own kind.
    for (holders, waiters) in [(emulator, &[][..]), (&[], emulator), (emulator, emulator)] {
        on_each_backend("emulated", |name| {
            let mut holder = Actor::start_under(holders, "hold", name);
            holder.expect("holding");
            let mut waiter = Actor::start_under(waiters, "wait for a while", name);
            waiter.expect("timeout: true");
            let mut next = Actor::start_under(waiters, "wait", name);
            next.expect("waiting");
            holder.kill();
            next.expect("acquired");
            next.end();
            waiter.end();
        });
    }
}

fn wait_for_a_while(name: &str) {
    let refused = open(name).acquire(Duration::from_millis(200));
    say(&format!("timeout: {}", is_timeout(&refused)));
}

fn wait_with_hidden_proc(name: &str) {
    leave_mounts();
    let hidden = Some("hidepid=2");
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), hidden).unwrap();
    become_another();
    let lock = open(name);
    say(&format!("timeout: {}", is_timeout(&lock.acquire(Duration::from_millis(100)))));
    let guard = lock.acquire(LONG).unwrap();
    say("acquired");
    listen();
    drop(guard);
}

#[test]
fn a_waiter_that_may_not_see_the_holder_robs_nobody_and_replaces_the_dead() {
    if !is_root() || !may(&["unshare", "--mount"]) {
        return;
    }
    let shared = unique_semaphore("hidden");
    let everybodys = Lock::open(Backend::Semaphore, &shared).unwrap().mode(0o666);
    drop(everybodys.acquire(LONG).unwrap());
    for name in [&shared, &unique_name("hidden")] {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut waiter = Actor::start("wait with hidden proc", name);
        waiter.expect("timeout: true");
        eventually("the waiter waits", || waits(name, waiter.pid()));
        holder.kill();
        waiter.expect("acquired");
        waiter.end();
    }
    remove_semaphore(&shared);
}
