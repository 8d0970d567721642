//! Processes and threads that share port locks.

mod support;

use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Backend, KnownBy, Lock, LockError, LockGuard, Tenure};
use support::{eventually, listen, say, unique_name, waits_in_queue, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("wait", wait),
        ("contend", contend),
        ("starve", starve_of_descriptors),
        ("receive nothing", receive_without_descriptors),
        ("spawn", spawn_without_pause),
        ("leak", leak),
        ("exec", exec),
        ("many locks", many_locks),
    ]);
}

fn open(name: &str) -> Lock {
    Lock::open(Backend::Port, name).unwrap()
}

/// Holds the lock until it is told something, or until its input ends.
fn hold(name: &str) {
    let guard = open(name).acquire_with_info(LONG, "the test's holder").unwrap();
    say("holding");
    if listen().is_some() {
        drop(guard);
        say("released");
        listen();
    }
}

/// Waits for the lock, and writes that it came.
fn wait(name: &str) {
    let lock = open(name);
    say("waiting");
    let guard = lock.acquire(LONG).unwrap();
    say("acquired");
    listen();
    drop(guard);
}

fn is_timeout<T>(result: &Result<T, LockError>) -> bool {
    matches!(result, Err(LockError::Timeout { .. }))
}

#[test]
fn a_lock_held_by_another_process_is_refused_and_its_holder_named() {
    let name = unique_name("holder");
    let lock = open(&name);
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");

    let error = lock.acquire(Duration::from_millis(50)).unwrap_err();
    let LockError::Timeout { waited, holder: Some(named), .. } = &error else {
        panic!("{error:?}");
    };
    assert!(*waited >= Duration::from_millis(50), "{waited:?}");
    assert_eq!(named.pid, Some(holder.pid()));
    assert_eq!(named.uid, Some(nix::unistd::getuid().as_raw()));
    assert_eq!(named.info.as_deref(), Some("the test's holder"));
    assert_eq!(named.command, Some(command()));
    assert_eq!(named.tenure, Tenure::Holds);
    assert_eq!(named.known_by, KnownBy::Kernel);
    assert!(named.thread.is_some());
    assert!(named.since.unwrap() <= std::time::SystemTime::now());
    assert!(named.held_for.unwrap() >= Duration::from_millis(50));
    let text = error.to_string();
    let start = format!("lock \"{name}\": timed out after 0.05 s; held for 0.");
    assert!(text.starts_with(&start), "{text}");
    let end = format!(" by pid {} ({}) in the test's holder", holder.pid(), command());
    assert!(text.ends_with(&end), "{text}");

    let tried = lock.try_acquire().unwrap_err();
    assert!(matches!(&tried, LockError::Timeout { holder: Some(named), waited, .. }
        if named.pid == Some(holder.pid()) && waited.is_zero()));
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));

    holder.tell("release");
    holder.expect("released");
    drop(lock.try_acquire().unwrap());
    holder.end();
}

/// This binary's name, as `/proc/PID/comm` shows it.
fn command() -> String {
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    comm.trim_end().to_owned()
}

#[test]
fn looking_takes_nothing_creates_nothing_and_follows_the_lock() {
    let name = unique_name("look");
    let lock = open(&name);
    assert!(!lock.is_locked().unwrap());
    assert_eq!(lock.holder().unwrap(), None);
    assert_eq!(lock.last_holder().unwrap(), None);
    assert!(records_of(&name).is_empty());

    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    for _ in 0..3 {
        assert!(lock.is_locked().unwrap());
        assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
    }
    let last = lock.last_holder().unwrap().unwrap();
    assert_eq!((last.pid, last.tenure), (Some(holder.pid()), Tenure::Holds));

    holder.tell("release");
    holder.expect("released");
    assert!(!lock.is_locked().unwrap());
    assert_eq!(lock.holder().unwrap(), None);
    let last = lock.last_holder().unwrap().unwrap();
    assert_eq!((last.pid, last.tenure), (Some(holder.pid()), Tenure::Released));
    assert_eq!(last.info.as_deref(), Some("the test's holder"));
    holder.end();
}

fn records_of(name: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().ends_with(&format!(".{name}"))).collect()
}

#[test]
fn an_observer_that_stays_sees_each_holder_of_a_queue() {
    let name = unique_name("follow");
    let lock = open(&name);
    let mut first = Actor::start("hold", &name);
    first.expect("holding");
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(first.pid()));
    let mut second = Actor::start("wait", &name);
    second.expect("waiting");
    eventually("the second waits", || waits_in_queue(second.pid()));
    first.tell("release");
    second.expect("acquired");
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(second.pid()));
    assert!(lock.is_locked().unwrap());
    second.end();
    assert!(!lock.is_locked().unwrap());
    first.end();
}

#[test]
fn a_killed_holder_is_history_and_says_so() {
    let name = unique_name("history");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let pid = holder.pid();
    holder.kill();
    let lock = open(&name);
    assert!(!lock.is_locked().unwrap());
    let last = lock.last_holder().unwrap().unwrap();
    assert_eq!((last.pid, last.tenure), (Some(pid), Tenure::Died));
    assert!(last.to_string().contains("the test's holder"), "{last}");
}

#[test]
fn ten_waiters_are_served_in_the_order_they_came() {
    let name = unique_name("fifo");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut waiters: Vec<Actor> = (0..10)
        .map(|_| {
            let mut waiter = Actor::start("wait", &name);
            waiter.expect("waiting");
            eventually("the waiter waits", || waits_in_queue(waiter.pid()));
            waiter
        })
        .collect();
    holder.tell("release");
    // Each holds until it is told to end: whoever else had it first would keep this from ending.
    for mut waiter in waiters.drain(..) {
        waiter.expect("acquired");
        assert_eq!(open(&name).holder().unwrap().unwrap().pid, Some(waiter.pid()));
        waiter.end();
    }
    holder.end();
}

#[test]
fn a_timeout_is_not_early_and_the_queue_is_left() {
    let name = unique_name("timeout");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let lock = open(&name);
    for millis in [1, 7, 30, 110] {
        let timeout = Duration::from_millis(millis);
        let start = Instant::now();
        assert!(is_timeout(&lock.acquire(timeout)));
        let waited = start.elapsed();
        assert!(waited >= timeout, "{waited:?} for {timeout:?}");
        assert!(waited < timeout + Duration::from_secs(2), "{waited:?} for {timeout:?}");
    }
    // What the timed-out waiters left in the queue is passed over.
    let mut waiter = Actor::start("wait", &name);
    waiter.expect("waiting");
    eventually("the waiter waits", || waits_in_queue(waiter.pid()));
    holder.tell("release");
    waiter.expect("acquired");
    waiter.end();
    holder.end();
}

#[test]
fn a_waiter_that_dies_does_not_stop_the_queue() {
    let name = unique_name("dead-waiter");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let start_waiter = || {
        let mut waiter = Actor::start("wait", &name);
        waiter.expect("waiting");
        eventually("the waiter waits", || waits_in_queue(waiter.pid()));
        waiter
    };
    let (first, mut second) = (start_waiter(), start_waiter());
    first.kill();
    holder.tell("release");
    second.expect("acquired");
    second.end();
    holder.end();
}

#[test]
fn a_waiter_that_stops_still_keeps_others_out_once_the_lock_is_its_own() {
    let name = unique_name("stopped");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut waiter = Actor::start("wait", &name);
    waiter.expect("waiting");
    eventually("the waiter waits", || waits_in_queue(waiter.pid()));
    waiter.signal(nix::sys::signal::Signal::SIGSTOP);
    holder.tell("release");
    holder.expect("released");
    // On its way to a process that does not run: taken, and nobody waits for more than his time.
    let lock = open(&name);
    let time_of_a_timeout = || {
        let start = Instant::now();
        assert!(is_timeout(&lock.acquire(Duration::from_millis(20))));
        start.elapsed()
    };
    let shortest = (0..5).map(|_| time_of_a_timeout()).min().unwrap();
    assert!(shortest < Duration::from_millis(120), "{shortest:?}");
    waiter.signal(nix::sys::signal::Signal::SIGCONT);
    waiter.expect("acquired");
    waiter.end();
    holder.end();
}

/// Takes the lock again and again; whoever finds the shared file changed under the lock says so.
fn contend(argument: &str) {
    let (name, path) = argument.split_once(' ').unwrap();
    let lock = open(name);
    say("ready");
    listen();
    for _ in 0..300 {
        let guard = lock.acquire(LONG).unwrap();
        let count: u32 = std::fs::read_to_string(path).unwrap().parse().unwrap();
        thread::yield_now();
        std::fs::write(path, (count + 1).to_string()).unwrap();
        drop(guard);
    }
    say("done");
}

#[test]
fn eight_processes_never_meet() {
    let name = unique_name("contend");
    let path = std::env::temp_dir().join(&name);
    std::fs::write(&path, "0").unwrap();
    let argument = format!("{name} {}", path.display());
    let mut actors: Vec<Actor> = (0..8).map(|_| Actor::start("contend", &argument)).collect();
    for actor in &mut actors {
        actor.expect("ready");
    }
    for actor in &mut actors {
        actor.tell("go");
    }
    for mut actor in actors {
        actor.expect("done");
        actor.end();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "2400");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn threads_of_one_process_exclude_each_other() {
    let name = unique_name("threads");
    let inside = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // A lock of its own, which is the same lock.
                let lock = open(&name);
                for _ in 0..500 {
                    let _guard = lock.acquire(LONG).unwrap();
                    assert!(!inside.swap(true, Ordering::Relaxed));
                    thread::yield_now();
                    inside.store(false, Ordering::Relaxed);
                }
            });
        }
    });
}

#[test]
fn a_thread_that_holds_is_told_and_not_left_waiting() {
    let (name, other) = (unique_name("nested"), unique_name("nested-other"));
    let guard = open(&name).acquire(LONG).unwrap();
    for error in [open(&name).acquire(LONG), open(&name).try_acquire()] {
        let error = error.unwrap_err();
        assert!(matches!(error, LockError::WouldDeadlock { .. }), "{error:?}");
        assert!(error.to_string().contains("holds it already, in tests/processes.rs:"), "{error}");
    }
    // Another lock is no deadlock, and neither is another thread, which just has to wait.
    drop(open(&other).acquire(LONG).unwrap());
    thread::scope(|scope| {
        assert!(is_timeout(&scope.spawn(|| open(&name).try_acquire()).join().unwrap()));
    });
    drop(guard);
    drop(open(&name).acquire(LONG).unwrap());
}

#[test]
fn a_reentrant_acquire_enters_again_and_the_last_guard_gives_the_lock_back() {
    let name = unique_name("reentrant");
    let lock = open(&name);
    for first_goes_first in [false, true] {
        let first = lock.acquire_reentrant(LONG).unwrap();
        let second = lock.acquire_reentrant(LONG).unwrap();
        assert!(matches!(lock.acquire(LONG), Err(LockError::WouldDeadlock { .. })));
        let (gone, left) = if first_goes_first { (first, second) } else { (second, first) };
        drop(gone);
        assert!(lock.is_locked().unwrap());
        thread::scope(|scope| {
            let other = scope.spawn(|| lock.acquire_reentrant(Duration::ZERO));
            assert!(is_timeout(&other.join().unwrap()), "another thread does not enter");
        });
        drop(left);
        assert!(!lock.is_locked().unwrap());
    }
}

#[test]
fn several_locks_are_taken_all_or_none_and_never_in_a_circle() {
    let (a, b) = (unique_name("all-a"), unique_name("all-b"));
    let (a, b) = (open(&a), open(&b));
    let inside = &AtomicBool::new(false);
    thread::scope(|scope| {
        for order in [[&a, &b], [&b, &a]] {
            scope.spawn(move || {
                for _ in 0..500 {
                    let guards = lockattr::acquire_all(order, LONG).unwrap();
                    assert_eq!(guards.each_ref().map(LockGuard::lock_name), order.map(Lock::name));
                    assert!(!inside.swap(true, Ordering::Relaxed));
                    inside.store(false, Ordering::Relaxed);
                }
            });
        }
    });

    let mut holder = Actor::start("hold", b.name());
    holder.expect("holding");
    let start = Instant::now();
    let error = lockattr::acquire_all([&b, &a], Duration::from_millis(50)).unwrap_err();
    assert_eq!((error.is_timeout(), error.lock()), (true, b.name()));
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert!(!a.is_locked().unwrap(), "none is kept");
    holder.end();
    let twice = lockattr::acquire_all([&a, &a], LONG).unwrap_err();
    assert!(matches!(twice, LockError::WouldDeadlock { .. }));
    assert!(!a.is_locked().unwrap());
}

#[test]
fn who_comes_after_a_holder_that_died_is_told_and_nobody_else() {
    let name = unique_name("recover");
    let lock = open(&name);
    assert!(lock.acquire(LONG).unwrap().recovered_from().is_none());
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let pid = holder.pid();
    holder.kill();

    let guard = lock.acquire(LONG).unwrap();
    let dead = guard.recovered_from().expect("the holder died");
    assert_eq!((dead.pid, dead.tenure), (Some(pid), Tenure::Died));
    assert_eq!(dead.info.as_deref(), Some("the test's holder"));
    // What could not be brought in order is left to the next one.
    guard.abandon();
    assert!(!lock.is_locked().unwrap());
    let guard = lock.acquire(LONG).unwrap();
    let abandoned = guard.recovered_from().expect("the lock was abandoned");
    assert_eq!((abandoned.pid, abandoned.tenure), (Some(std::process::id()), Tenure::Died));
    drop(guard);
    // Also when the guard that was in hand first goes first.
    let outer = lock.acquire_reentrant(LONG).unwrap();
    assert!(outer.recovered_from().is_none());
    let inner = lock.acquire_reentrant(LONG).unwrap();
    outer.abandon();
    drop(inner);
    assert!(lock.acquire(LONG).unwrap().recovered_from().is_some());
    assert!(lock.acquire(LONG).unwrap().recovered_from().is_none());
}

/// Holds, and becomes another program, which keeps the pid and loses the lock.
fn exec(name: &str) {
    use std::os::unix::process::CommandExt;
    let _guard = open(name).acquire(LONG).unwrap();
    say("holding");
    listen();
    panic!("{}", Command::new("cat").exec());
}

#[test]
fn a_holder_that_becomes_another_program_holds_no_more() {
    let name = unique_name("exec");
    let lock = open(&name);
    let mut holder = Actor::start("exec", &name);
    holder.expect("holding");
    holder.tell("exec");
    eventually("the lock is free", || !lock.is_locked().unwrap());
    let last = lock.last_holder().unwrap().unwrap();
    assert_eq!((last.pid, last.tenure), (Some(holder.pid()), Tenure::Died));
    let guard = lock.acquire(LONG).unwrap();
    assert_eq!(guard.recovered_from().unwrap().pid, Some(holder.pid()));
}

#[test]
fn a_lock_that_is_not_held_costs_no_descriptor() {
    let mut actor = Actor::start("many locks", &unique_name("many"));
    actor.expect("0");
    actor.end();
}

fn many_locks(name: &str) {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    let locks: Vec<Lock> = (0..500).map(|number| open(&format!("{name}-{number}"))).collect();
    for lock in &locks {
        drop(lock.acquire(LONG).unwrap());
    }
    say(&(descriptors() - before).to_string());
}

#[test]
fn a_guard_can_be_dropped_in_another_thread() {
    let name = unique_name("sent");
    let guard = open(&name).acquire(LONG).unwrap();
    thread::spawn(move || drop(guard)).join().unwrap();
    drop(open(&name).try_acquire().unwrap());
}

#[test]
fn statics_of_one_name_are_one_lock() {
    static ONE: Lock = Lock::port("test-statics-of-one-name");
    static OTHER: Lock = Lock::port("test-statics-of-one-name");
    let guard = ONE.acquire(LONG).unwrap();
    assert!(matches!(OTHER.acquire(LONG), Err(LockError::WouldDeadlock { .. })));
    drop(guard);
}

#[test]
fn a_full_queue_is_waited_out() {
    let name = unique_name("full");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    // Each connection that is made and dropped leaves an entry in the holder's queue. This one makes
    // them with sockets of its own: what else would fill a queue is a queue full of waiters.
    let address = socket2::SockAddr::unix(format!("\0/portlock/{name}")).unwrap();
    let mut entries = 0;
    while socket(&address).is_ok() {
        entries += 1;
        assert!(entries < 100_000, "the queue is never full");
    }
    let lock = open(&name);
    assert!(lock.is_locked().unwrap());
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
    assert!(is_timeout(&lock.acquire(Duration::from_millis(30))));
    let mut waiter = Actor::start("wait", &name);
    waiter.expect("waiting");
    holder.tell("release");
    waiter.expect("acquired");
    waiter.end();
    holder.end();
}

/// A connection without a name, closed at once.
fn socket(address: &socket2::SockAddr) -> std::io::Result<()> {
    let kind = socket2::Type::STREAM.nonblocking();
    socket2::Socket::new(socket2::Domain::UNIX, kind, None)?.connect(address)
}

#[test]
fn connections_of_strangers_are_handed_nothing() {
    use std::os::linux::net::SocketAddrExt;
    let name = unique_name("strangers");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let address =
        std::os::unix::net::SocketAddr::from_abstract_name(format!("/portlock/{name}")).unwrap();
    let strangers: Vec<UnixStream> =
        (0..20).map(|_| UnixStream::connect_addr(&address).unwrap()).collect();
    drop(guard);
    for mut stranger in strangers {
        let got = std::io::Read::read(&mut stranger, &mut [0; 8]);
        assert!(!matches!(got, Ok(1..)), "{got:?}");
    }
    drop(lock.try_acquire().unwrap());
}

/// Says what an acquire without a single free descriptor gives.
fn starve_of_descriptors(name: &str) {
    let lock = open(name);
    let files = exhaust_descriptors();
    match lock.acquire(LONG) {
        Err(LockError::Io { source, .. }) => {
            say(&format!("{}", source.raw_os_error() == Some(nix::libc::EMFILE)));
        }
        other => say(&format!("{other:?}")),
    }
    drop(files);
    drop(lock.acquire(LONG).unwrap());
    say("acquired");
}

/// Is handed the lock when it has no descriptor left to receive it with.
fn receive_without_descriptors(name: &str) {
    let lock = open(name);
    say("waiting");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(LONG));
        eventually("the thread waits", || waits_in_queue(std::process::id()));
        let files = exhaust_descriptors();
        say("starved");
        let failed = waiter.join().unwrap();
        drop(files);
        match failed {
            Err(LockError::Io { source, .. }) => {
                say(&format!("{}", source.raw_os_error() == Some(nix::libc::EMFILE)));
            }
            other => say(&format!("{other:?}")),
        }
    });
    listen();
}

fn exhaust_descriptors() -> Vec<std::fs::File> {
    use nix::sys::resource::{setrlimit, Resource};
    setrlimit(Resource::RLIMIT_NOFILE, 256, 256).unwrap();
    std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect()
}

#[test]
fn without_a_descriptor_an_acquire_is_an_error_and_nothing_is_held() {
    let name = unique_name("emfile");
    let mut actor = Actor::start("starve", &name);
    actor.expect("true");
    actor.expect("acquired");
    actor.end();
}

#[test]
fn a_waiter_without_a_descriptor_for_the_lock_does_not_swallow_it() {
    let name = unique_name("ctrunc");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let mut actor = Actor::start("receive nothing", &name);
    actor.expect("waiting");
    actor.expect("starved");
    drop(guard);
    actor.expect("true");
    drop(lock.acquire(LONG).unwrap());
    actor.end();
}

/// Releases and tries again while another thread spawns processes without pause.
fn spawn_without_pause(name: &str) {
    let lock = open(name);
    let done = AtomicBool::new(false);
    let spawned = thread::scope(|scope| {
        let spawner = scope.spawn(|| {
            let mut spawned = 0;
            while !done.load(Ordering::Relaxed) {
                Command::new("/bin/true").status().unwrap();
                spawned += 1;
            }
            spawned
        });
        let mut refused = 0;
        for _ in 0..10_000 {
            let guard: Result<LockGuard, LockError> = lock.try_acquire();
            refused += u32::from(guard.is_err());
        }
        done.store(true, Ordering::Relaxed);
        say(&format!("refused {refused}"));
        spawner.join().unwrap()
    });
    say(if spawned > 0 { "spawned" } else { "spawned nothing" });
}

#[test]
fn spawning_processes_does_not_keep_a_released_lock() {
    let mut actor = Actor::start("spawn", &unique_name("spawn"));
    actor.expect("refused 0");
    actor.expect("spawned");
    actor.end();
}

/// Acquires, times out, looks and opens, many times, and says what that left behind.
fn leak(argument: &str) {
    let (free, taken) = argument.split_once(' ').unwrap();
    let use_all = |times: usize| {
        let (free, taken) = (open(free), open(taken));
        for _ in 0..times {
            drop(free.acquire(LONG).unwrap());
        }
        for _ in 0..times / 100 {
            assert!(is_timeout(&taken.acquire(Duration::from_micros(1))));
            assert!(is_timeout(&taken.try_acquire()));
            assert!(taken.holder().unwrap().is_some());
            assert!(matches!(free.holder(), Ok(None)));
            drop(open(free.name()));
        }
    };
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let counts = || (count("fd"), count("task"), mappings());
    use_all(1_000);
    let before = counts();
    use_all(100_000);
    let after = counts();
    // The allocator may map memory of its own, so a mapping or two are no leak.
    let leaked = after.0 != before.0 || after.1 != before.1 || after.2 > before.2 + 10;
    say(&if leaked { format!("{before:?} {after:?}") } else { "nothing".to_owned() });
}

#[test]
fn nothing_leaks() {
    let (free, taken) = (unique_name("leak-free"), unique_name("leak-taken"));
    let mut holder = Actor::start("hold", &taken);
    holder.expect("holding");
    let mut actor = Actor::start("leak", &format!("{free} {taken}"));
    actor.expect("nothing");
    actor.end();
    holder.end();
}
