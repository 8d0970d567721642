//! The semaphore backend's own: the files in `/dev/shm`, and whatever may be found in them.

#![allow(unsafe_code)] // fork, seccomp

mod support;

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Backend, KnownBy, Lock, LockError, Tenure};
use nix::libc;
use nix::mount::{mount, MsFlags};
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{fork, ForkResult, Uid};
use support::{hold, is_timeout, listen, on_each_backend, open, remove_semaphore, say};
use support::{unique_semaphore, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("begin", begin),
        ("use many", use_many),
        ("become another", become_another),
        ("detach", detach),
    ]);
}

fn semaphore_of(name: &str) -> PathBuf {
    format!("/dev/shm/sem.{name}").into()
}

fn record_of(name: &str) -> PathBuf {
    format!("/dev/shm/{name}").into()
}

fn mode_of(path: PathBuf) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// The units of a semaphore, as the C library counts them: what another program finds.
fn value(name: &str) -> i32 {
    let path = CString::new(format!("/{name}")).unwrap();
    // SAFETY: the name ends with a NUL; the semaphore is closed again, and not used after that.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_ne!(semaphore, libc::SEM_FAILED);
        let mut value = -1;
        assert_eq!(libc::sem_getvalue(semaphore, &mut value), 0);
        libc::sem_close(semaphore);
        value
    }
}

/// Posts a semaphore, as resourcelock's `unget` does.
fn post(name: &str) {
    let path = CString::new(format!("/{name}")).unwrap();
    // SAFETY: as above.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_ne!(semaphore, libc::SEM_FAILED);
        assert_eq!(libc::sem_post(semaphore), 0);
        libc::sem_close(semaphore);
    }
}

/// In a forked child of one thread; its exit code.
fn in_a_child(work: impl FnOnce() -> u8) -> i32 {
    // SAFETY: the child calls what is under test here, and leaves by `_exit`.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let code = work();
            // SAFETY: ends the process, without a test harness's exit handlers.
            unsafe { libc::_exit(code.into()) }
        }
        ForkResult::Parent { child } => match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}"),
        },
    }
}

#[test]
fn its_files_are_the_users_own_unless_a_mode_says_otherwise_whatever_the_umask() {
    let private = unique_semaphore("private");
    drop(open(&private).acquire(LONG).unwrap());
    assert_eq!([mode_of(semaphore_of(&private)), mode_of(record_of(&private))], [0o600; 2]);

    let shared = unique_semaphore("shared");
    let code = in_a_child(|| {
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
        u8::from(open(&shared).mode(0o660).acquire(LONG).is_err())
    });
    assert_eq!(code, 0);
    assert_eq!([mode_of(semaphore_of(&shared)), mode_of(record_of(&shared))], [0o660; 2]);
    // What is there keeps its mode.
    drop(open(&shared).mode(0o666).acquire(LONG).unwrap());
    assert_eq!([mode_of(semaphore_of(&shared)), mode_of(record_of(&shared))], [0o660; 2]);
    remove_semaphore(&private);
    remove_semaphore(&shared);
}

#[test]
fn a_leading_slash_is_no_part_of_the_name() {
    let name = unique_semaphore("slash");
    let slashed = Lock::open(Backend::Semaphore, &format!("/{name}")).unwrap();
    assert_eq!(slashed.name(), name);
    let _guard = slashed.acquire(LONG).unwrap();
    assert!(matches!(open(&name).try_acquire(), Err(LockError::WouldDeadlock { .. })));
    remove_semaphore(&name);
}

/// Takes the lock as soon as it is told to, and says which files it has.
fn begin(name: &str) {
    say("ready");
    listen();
    let guard = open(name).acquire(LONG).unwrap();
    let inode = |path| fs::metadata(path).unwrap().ino();
    say(&format!("{} {}", inode(semaphore_of(name)), inode(record_of(name))));
    drop(guard);
}

#[test]
fn processes_that_start_at_the_same_moment_make_one_lock() {
    for _ in 0..5 {
        let name = unique_semaphore("race");
        let mut actors: Vec<Actor> = (0..6).map(|_| Actor::start("begin", &name)).collect();
        for actor in &mut actors {
            actor.expect("ready");
        }
        for actor in &mut actors {
            actor.tell("go");
        }
        let files: Vec<String> = actors.iter_mut().map(Actor::hear).collect();
        assert!(files.iter().all(|file| *file == files[0]), "{files:?}");
        actors.into_iter().for_each(Actor::end);
        assert_eq!(value(&name), 1);
        remove_semaphore(&name);
    }
}

#[test]
fn another_users_lock_is_denied_and_the_error_says_whose_it_is() {
    if !Uid::effective().is_root() {
        println!(
            "not root: only root can become another user; tried with a file of no mode instead"
        );
        let name = unique_semaphore("denied");
        drop(open(&name).acquire(LONG).unwrap());
        fs::set_permissions(semaphore_of(&name), Permissions::from_mode(0o000)).unwrap();
        let code = in_a_child(|| u8::from(is_denied(&name, Uid::effective().as_raw(), "0000")));
        assert_eq!(code, 1);
        return remove_semaphore(&name);
    }
    // Not opened in this process: a child would have what its parent had opened.
    let name = unique_semaphore("denied");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let code = in_a_child(|| {
        nix::unistd::setgroups(&[]).unwrap();
        nix::unistd::setgid(nix::unistd::Gid::from_raw(65534)).unwrap();
        nix::unistd::setuid(Uid::from_raw(65534)).unwrap();
        u8::from(is_denied(&name, 0, "0600"))
    });
    assert_eq!(code, 1);
    holder.end();
    remove_semaphore(&name);
}

/// Whether all that one can do with the lock is denied, with an error that says why.
fn is_denied(name: &str, uid: u32, mode: &str) -> bool {
    let lock = open(name);
    let errors = [
        lock.acquire(LONG).map(drop).unwrap_err(),
        lock.is_locked().map(drop).unwrap_err(),
        lock.holder().map(drop).unwrap_err(),
        lock.force_release().map(drop).unwrap_err(),
    ];
    errors.iter().all(|error| {
        let text = error.to_string();
        matches!(error, LockError::Denied { .. })
            && text.contains(&format!("sem.{name} belongs to user {uid} and has mode {mode}"))
            && text.contains("chmod 660")
    })
}

#[test]
fn a_semaphore_that_was_cut_is_an_error_and_no_crash() {
    for bytes in [0, 1, 31] {
        let name = unique_semaphore("cut");
        let lock = open(&name);
        drop(lock.acquire(LONG).unwrap());
        File::options().write(true).open(semaphore_of(&name)).unwrap().set_len(bytes).unwrap();
        // It looks at the file's size now and then: this is the next time at the latest.
        thread::sleep(Duration::from_millis(15));
        let error = lock.acquire(LONG).unwrap_err();
        assert!(matches!(error, LockError::Damaged { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&format!("has {bytes} bytes and holds no semaphore")), "{text}");
        assert!(matches!(lock.is_locked(), Err(LockError::Damaged { .. })));
        assert!(matches!(lock.force_release(), Err(LockError::Damaged { .. })));
        remove_semaphore(&name);
    }
}

#[test]
fn what_else_is_in_the_place_of_its_files_is_left_alone() {
    let name = unique_semaphore("no-file");
    for path in [semaphore_of(&name), record_of(&name)] {
        remove_semaphore(&name);
        fs::create_dir(&path).unwrap();
        assert!(open(&name).acquire(LONG).is_err());
        fs::remove_dir(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(open(&name).acquire(LONG).is_err());
        fs::remove_file(&path).unwrap();
        let target = std::env::temp_dir().join(&name);
        fs::write(&target, "mine").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(open(&name).acquire(LONG).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"mine");
        fs::remove_file(target).unwrap();
    }
    remove_semaphore(&name);
}

#[test]
fn a_record_of_any_size_and_content_serves() {
    let rubbish: Vec<u8> = (0..8192_u32).map(|byte| (byte * 37 % 251) as u8 | 1).collect();
    let contents: [(&str, &[u8], u64); 7] = [
        ("empty", b"", 0),
        ("a byte", b"x", 1),
        ("a small one", b"2024-10-20 16:00:51.864484 - cli\0", 64),
        ("rubbish", &rubbish[..4096], 4096),
        ("long rubbish", &rubbish, 8192),
        ("sparse", b"", 1 << 30),
        ("a text over it all", &[b'x'; 4095], 4096),
    ];
    for (what, content, length) in contents {
        let name = unique_semaphore("content");
        let file = File::create_new(record_of(&name)).unwrap();
        file.write_all_at(content, 0).unwrap();
        file.set_len(length).unwrap();
        let lock = open(&name);
        assert!(!lock.is_locked().unwrap(), "{what}");
        let guard = lock.acquire_with_info(LONG, "here").unwrap();
        assert!(guard.recovered_from().is_none(), "{what}");
        let holder = lock.holder().unwrap().unwrap();
        assert_eq!(holder.pid, Some(std::process::id()), "{what}");
        assert_eq!(holder.info.as_deref(), Some("here"), "{what}");
        drop(guard);
        assert_eq!(value(&name), 1, "{what}");
        assert_eq!(file.metadata().unwrap().len(), length.max(4096), "{what}");

        // And so it does with what is written over it while it is held.
        let guard = lock.acquire(LONG).unwrap();
        file.write_all_at(&rubbish[..4096], 0).unwrap();
        thread::scope(|scope| {
            let other = scope.spawn(|| lock.acquire(Duration::from_millis(60)));
            assert!(other.join().unwrap().is_err(), "{what}");
        });
        let _ = (lock.is_locked().unwrap(), lock.holder().unwrap(), lock.last_holder().unwrap());
        drop(guard);
        assert_eq!(value(&name), 1, "{what}");
        drop(lock.acquire(LONG).unwrap());
        remove_semaphore(&name);
    }
}

#[test]
fn a_text_ends_within_what_was_there_for_others() {
    let name = unique_semaphore("limit");
    let file = File::create_new(record_of(&name)).unwrap();
    file.set_len(64).unwrap();
    let _guard = open(&name).acquire_with_info(LONG, &"x".repeat(300)).unwrap();
    let mut text = [0; 64];
    file.read_exact_at(&mut text, 0).unwrap();
    assert_eq!(text.iter().position(|byte| *byte == 0), Some(63));
    remove_semaphore(&name);
}

#[test]
fn a_second_post_makes_no_second_holder() {
    let name = unique_semaphore("posted");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    for _ in 0..3 {
        post(&name);
    }
    assert_eq!(value(&name), 3);
    let lock = open(&name);
    assert!(lock.is_locked().unwrap());
    assert_eq!(lock.holder().unwrap().unwrap().pid, Some(holder.pid()));
    assert!(is_timeout(&lock.acquire(Duration::from_millis(100))));
    assert!(is_timeout(&lock.try_acquire()));
    assert_eq!(value(&name), 0, "what nobody may use is taken out");
    holder.tell("release");
    holder.expect("released");
    assert_eq!(value(&name), 1);

    // One that is free and was posted once too often is in order again with the next holder.
    post(&name);
    let guard = lock.acquire(LONG).unwrap();
    assert_eq!(value(&name), 0);
    drop(guard);
    assert_eq!(value(&name), 1);
    holder.end();
    remove_semaphore(&name);
}

#[test]
fn an_unlinked_lock_is_made_anew() {
    let name = unique_semaphore("unlinked");
    let lock = open(&name);
    drop(lock.acquire(LONG).unwrap());
    for forgotten in [
        vec![semaphore_of(&name)],
        vec![record_of(&name)],
        vec![semaphore_of(&name), record_of(&name)],
    ] {
        for path in &forgotten {
            fs::remove_file(path).unwrap();
        }
        thread::sleep(Duration::from_millis(15)); // it looks now and then
        let guard = lock.acquire(LONG).unwrap();
        assert_eq!(value(&name), 0, "others find it held");
        let mut other = Actor::start("begin", &name);
        other.expect("ready");
        other.tell("go");
        drop(guard);
        other.hear();
        other.end();
    }
    remove_semaphore(&name);
}

#[test]
fn a_waiter_finds_the_lock_that_was_made_anew() {
    let name = unique_semaphore("unlinked-wait");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| open(&name).acquire(LONG).map(drop));
        support::eventually("it waits", || support::waits(&name, std::process::id()));
        remove_semaphore(&name);
        waiter.join().unwrap().unwrap();
    });
    holder.end();
    remove_semaphore(&name);
}

#[test]
fn who_took_the_semaphore_and_says_nothing_is_an_orphan_that_can_be_released_by_force() {
    let name = unique_semaphore("orphan");
    let lock = open(&name);
    drop(lock.acquire_with_info(LONG, "the one before").unwrap());
    take_and_say_nothing(&name);

    for timeout in [Duration::ZERO, Duration::from_millis(40)] {
        let error = lock.acquire(timeout).unwrap_err();
        let LockError::Orphaned { last: Some(last), waited, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!((last.info.as_deref(), last.tenure), (Some("the one before"), Tenure::Released));
        assert!(*waited >= timeout);
        assert!(error.to_string().contains("lockattr unget --force"), "{error}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);
    }
    assert!(lock.is_locked().unwrap());
    assert!(lock.holder().unwrap().unwrap().pid.is_none());

    assert!(lock.force_release().unwrap());
    assert!(!lock.force_release().unwrap(), "it is free");
    assert_eq!(value(&name), 1);
    let guard = lock.acquire(LONG).unwrap();
    assert!(guard.recovered_from().is_none());
    drop(guard);
    remove_semaphore(&name);
}

fn take_and_say_nothing(name: &str) {
    let path = CString::new(format!("/{name}")).unwrap();
    // SAFETY: as in `value`.
    unsafe {
        let semaphore = libc::sem_open(path.as_ptr(), 0);
        assert_eq!(libc::sem_trywait(semaphore), 0);
        libc::sem_close(semaphore);
    }
}

#[test]
fn a_forced_release_of_a_live_holder_lets_no_lockattr_process_in() {
    let name = unique_semaphore("forced");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let lock = open(&name);
    assert!(lock.force_release().unwrap());
    assert!(is_timeout(&lock.acquire(Duration::from_millis(50))));
    holder.tell("release");
    holder.expect("released");
    drop(lock.acquire(LONG).unwrap());
    assert_eq!(value(&name), 1);
    holder.end();
    remove_semaphore(&name);
}

#[test]
fn a_forced_release_of_a_dead_holder_frees_the_lock_once() {
    let name = unique_semaphore("forced-dead");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let pid = holder.pid();
    holder.kill();
    let lock = open(&name);
    assert!(!lock.is_locked().unwrap(), "it can be had");
    assert!(lock.force_release().unwrap());
    assert!(!lock.force_release().unwrap());
    assert_eq!(value(&name), 1);
    let guard = lock.acquire(LONG).unwrap();
    assert_eq!(guard.recovered_from().unwrap().pid, Some(pid));
    drop(guard);
    remove_semaphore(&name);
}

/// Takes the lock, and leaves it taken.
fn detach(name: &str) {
    open(name).acquire_with_info(LONG, "left taken").unwrap().detach().unwrap();
    say("detached");
}

#[test]
fn a_lock_can_be_left_taken_and_is_nobodys_to_recover() {
    let name = unique_semaphore("detached");
    let mut actor = Actor::start("detach", &name);
    actor.expect("detached");
    let pid = actor.pid();
    actor.end();
    let lock = open(&name);
    assert!(lock.is_locked().unwrap());
    let error = lock.acquire(Duration::from_millis(100)).unwrap_err();
    let LockError::Timeout { holder: Some(holder), .. } = &error else { panic!("{error:?}") };
    assert_eq!((holder.pid, holder.tenure), (Some(pid), Tenure::Detached));
    assert_eq!(holder.info.as_deref(), Some("left taken"));
    assert_eq!(lock.holder().unwrap().unwrap().tenure, Tenure::Detached);
    assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Detached);

    assert!(lock.force_release().unwrap());
    assert!(!lock.is_locked().unwrap());
    assert_eq!(lock.last_holder().unwrap().unwrap().tenure, Tenure::Released);
    let outer = lock.acquire_reentrant(LONG).unwrap();
    assert!(outer.recovered_from().is_none(), "nobody died");
    // Of several guards the last one leaves it.
    let inner = lock.acquire_reentrant(LONG).unwrap();
    outer.detach().unwrap();
    assert_eq!(lock.holder().unwrap().unwrap().tenure, Tenure::Holds);
    drop(inner);
    assert_eq!(lock.holder().unwrap().unwrap().tenure, Tenure::Detached);
    post(&name);
    drop(lock.acquire(LONG).unwrap());

    let port = Lock::open(Backend::Port, &support::unique_name("detached-port")).unwrap();
    let error = port.acquire(LONG).unwrap().detach().unwrap_err();
    assert!(error.to_string().contains("a port lock is held by a process"), "{error}");
    assert!(!port.is_locked().unwrap());
    remove_semaphore(&name);
}

#[test]
fn a_forced_release_makes_no_lock_and_no_port_lock_is_released_by_force() {
    let name = unique_semaphore("nothing");
    assert!(!open(&name).force_release().unwrap());
    assert!(!semaphore_of(&name).exists() && !record_of(&name).exists());

    let port = Lock::open(Backend::Port, &support::unique_name("forced-port")).unwrap();
    assert!(!port.force_release().unwrap());
    let _guard = port.acquire(LONG).unwrap();
    let error = port.force_release().unwrap_err();
    assert!(error.to_string().contains("only its holder can let go"), "{error}");
}

/// Holds the lock, becomes the same program anew, and takes it again.
fn become_another(argument: &str) {
    use std::os::unix::process::CommandExt;
    let (name, is_again) = argument.split_once(' ').unwrap();
    let guard = open(name).acquire(LONG).unwrap();
    if is_again == "again" {
        let dead = guard.recovered_from().expect("the program before left it");
        assert_eq!((dead.pid, dead.known_by), (Some(std::process::id()), KnownBy::Record));
        return say("again");
    }
    let this = std::env::current_exe().unwrap();
    let error = std::process::Command::new(this)
        .args(["--exact", "role", "--nocapture", "--test-threads=1"])
        .env("LOCKATTR_TEST_ROLE", "become another")
        .env("LOCKATTR_TEST_ARGUMENT", format!("{name} again"))
        .exec();
    panic!("{error}");
}

#[test]
fn a_program_that_executes_itself_anew_takes_back_what_it_left() {
    on_each_backend("again", |name| {
        let mut actor = Actor::start("become another", &format!("{name} first"));
        actor.expect("again");
        actor.end();
    });
}

/// From here on any system call but `exit` ends this process by a signal (seccomp(2)).
fn forbid_system_calls() {
    let statement = |code: u32, jt, jf, k: i64| libc::sock_filter {
        code: code.try_into().unwrap(),
        jt,
        jf,
        k: u32::try_from(k).unwrap(),
    };
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0), // the call's number
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_exit),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW.into()),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS.into()),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its four statements live through the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program), 0);
    }
}

#[test]
fn a_lock_that_nobody_else_wants_takes_no_system_call() {
    // Every 10 ms it looks whether its files are still there, which is a system call: a round that is
    // interrupted may meet that moment, and so some rounds may fail.
    const ROUNDS: usize = 50;
    const TIMES: u32 = 1_000;

    let name = unique_semaphore("no-call");
    let ends_well = |work: &dyn Fn(&Lock)| {
        // SAFETY: the child takes a lock, and ends by a bare system call.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let lock = open(&name);
                drop(lock.acquire(LONG));
                forbid_system_calls();
                work(&lock);
                // SAFETY: ends the process: it has this thread alone.
                unsafe { libc::syscall(libc::SYS_exit, 0) };
                unreachable!()
            }
            ForkResult::Parent { child } => {
                matches!(waitpid(child, None).unwrap(), WaitStatus::Exited(_, 0))
            }
        }
    };
    let takes_it = |lock: &Lock| (0..TIMES).for_each(|_| drop(lock.acquire(LONG)));
    assert!((0..ROUNDS).any(|_| ends_well(&takes_it)));
    // That it would be noticed:
    assert!(!ends_well(&|_| drop(fs::metadata("/"))));
    remove_semaphore(&name);
}

/// Uses many locks, and says how many descriptors and mappings are left.
fn use_many(prefix: &str) {
    let count = || {
        let mappings = fs::read_to_string("/proc/self/maps").unwrap();
        let mapped = mappings.lines().filter(|line| line.contains("/dev/shm/")).count();
        (fs::read_dir("/proc/self/fd").unwrap().count(), mapped)
    };
    let before = count();
    for number in 0..500 {
        let lock = Lock::open(Backend::Semaphore, &format!("{prefix}-{number}")).unwrap();
        drop(lock.acquire(LONG).unwrap());
        let (_, mapped) = count();
        assert_eq!(mapped, before.1 + 2);
    }
    say(&format!("{}", count() == before));
}

#[test]
fn a_lock_that_is_let_go_of_leaves_no_mapping_and_no_descriptor() {
    let prefix = unique_semaphore("many");
    let mut actor = Actor::start("use many", &prefix);
    actor.expect("true");
    actor.end();
    (0..500).for_each(|number| remove_semaphore(&format!("{prefix}-{number}")));
}

#[test]
fn a_timeout_is_kept_while_the_holder_lives_and_while_it_is_stopped() {
    let name = unique_semaphore("stopped");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    holder.signal(nix::sys::signal::Signal::SIGSTOP);
    let lock = open(&name);
    for millis in [0, 3, 40, 120] {
        let timeout = Duration::from_millis(millis);
        let start = Instant::now();
        assert!(is_timeout(&lock.acquire(timeout)), "who is stopped is not dead");
        assert!(start.elapsed() >= timeout);
        assert!(start.elapsed() < timeout + Duration::from_secs(2));
    }
    holder.signal(nix::sys::signal::Signal::SIGCONT);
    holder.end();
    remove_semaphore(&name);
}

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
