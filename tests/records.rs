//! Records and sockets that somebody has tampered with: a lock is never lost or doubled, and what
//! cannot be known is left out.

mod support;

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use lockattr::{KnownBy, LockError};
use support::send_descriptors;
use support::{listen, may_be_alone, none_starts, open, say, unique_name, Actor, LONG};

#[test]
fn role() {
    support::play(&[("hold", hold)]);
}

fn hold(name: &str) {
    let _guard = open(name).with().timeout(LONG).info("elsewhere").acquire().unwrap();
    say("holding");
    listen();
}

fn record(name: &str) -> PathBuf {
    format!("/dev/shm/lockattr.{}.{name}", nix::unistd::geteuid()).into()
}

/// The lock excludes and the kernel names its holder, whatever stands where the record should.
#[track_caller]
fn assert_works_without_a_record(name: &str) {
    let lock = open(name);
    let guard = lock.with().timeout(LONG).info("unwritten").acquire().unwrap();
    thread::scope(|scope| {
        let error = scope.spawn(|| lock.try_acquire()).join().unwrap().unwrap_err();
        let LockError::Timeout { holder: Some(holder), .. } = error else { panic!("{error:?}") };
        assert_eq!(holder.pid, Some(std::process::id()));
        assert_eq!(holder.known_by, KnownBy::Kernel);
        assert_eq!(holder.info, None);
    });
    drop(guard);
    drop(lock.try_acquire().unwrap());
    assert!(!lock.is_locked().unwrap());
    assert_eq!(lock.last_holder().unwrap(), None);
}

#[test]
fn a_link_in_the_records_place_is_not_followed() {
    let name = unique_name("link");
    let target = std::env::temp_dir().join(&name);
    fs::write(&target, "precious").unwrap();
    symlink(&target, record(&name)).unwrap();
    assert_works_without_a_record(&name);
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    fs::remove_file(record(&name)).unwrap();
    fs::remove_file(target).unwrap();
}

#[test]
fn a_folder_or_a_pipe_in_the_records_place_is_left_alone() {
    let name = unique_name("folder");
    fs::create_dir(record(&name)).unwrap();
    assert_works_without_a_record(&name);
    fs::remove_dir(record(&name)).unwrap();

    let name = unique_name("pipe");
    nix::unistd::mkfifo(&record(&name), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_works_without_a_record(&name);
    fs::remove_file(record(&name)).unwrap();
}

/// Needs root, whose record it is that others can keep from being made: anybody else is told by an error
/// (`tests/attribute/panics.rs`).
#[test]
fn what_another_user_put_in_the_place_of_roots_record_is_removed() {
    const OTHER: Option<u32> = Some(65_534);

    if !nix::unistd::geteuid().is_root() {
        println!("skipped: this is about root's own record");
        return;
    }
    for kind in ["file", "folder", "link"] {
        let name = unique_name("alien");
        match kind {
            "file" => fs::write(record(&name), "").unwrap(),
            "folder" => fs::create_dir(record(&name)).unwrap(),
            _ => symlink("/dev/null", record(&name)).unwrap(),
        }
        std::os::unix::fs::lchown(record(&name), OTHER, None).unwrap();
        open(&name).acquire(LONG).unwrap().abandon();
        let guard = open(&name).acquire(LONG).unwrap();
        assert!(guard.recovered_from().is_some(), "{kind}");
        let seen = open(&name).holder().unwrap().unwrap();
        assert!(seen.info.is_some(), "{kind}: {seen}");
        drop(guard);
        fs::remove_file(record(&name)).unwrap();
    }
}

#[test]
fn a_record_that_everybody_may_write_is_not_believed() {
    let name = unique_name("writable");
    drop(open(&name).acquire(LONG).unwrap());
    fs::set_permissions(record(&name), PermissionsExt::from_mode(0o666)).unwrap();
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let seen = open(&name).holder().unwrap().unwrap();
    assert_eq!((seen.pid, seen.info), (Some(holder.pid()), None));
    holder.end();
    fs::remove_file(record(&name)).unwrap();
}

#[test]
fn a_record_of_another_lock_in_the_place_of_a_locks_own_is_not_believed() {
    let (one, other) = (unique_name("own"), unique_name("other"));
    let mut holder = Actor::start("hold", &other);
    holder.expect("holding");
    holder.end();
    let path = |name: &str| format!("/dev/shm/lockattr.{}.{name}", nix::unistd::geteuid());
    fs::copy(path(&other), path(&one)).unwrap();
    assert!(open(&other).last_holder().unwrap().is_some());
    assert!(open(&one).last_holder().unwrap().is_none());
    drop(open(&one).acquire(LONG).unwrap());
    assert!(open(&one).last_holder().unwrap().is_some());
}

#[test]
fn rubbish_in_a_record_is_overwritten_by_the_next_grant() {
    for length in [0_u32, 1, 100, 4095, 4096, 10_000] {
        let name = unique_name("rubbish");
        let rubbish: Vec<u8> =
            (0..length).map(|byte| u8::try_from(byte * 31 % 251).unwrap()).collect();
        fs::write(record(&name), rubbish).unwrap();
        let lock = open(&name);
        assert_eq!(lock.last_holder().unwrap(), None);
        let guard = lock.with().timeout(LONG).info("after rubbish").acquire().unwrap();
        assert_eq!(lock.holder().unwrap().unwrap().info.as_deref(), Some("after rubbish"));
        drop(guard);
        fs::remove_file(record(&name)).unwrap();
    }
}

#[test]
fn a_record_that_is_cut_short_or_removed_while_it_is_in_use_is_made_anew() {
    let name = unique_name("cut");
    let lock = open(&name);
    // This process has mapped it too.
    drop(lock.acquire(LONG).unwrap());
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    fs::OpenOptions::new().write(true).open(record(&name)).unwrap().set_len(100).unwrap();
    thread::sleep(Duration::from_millis(20));
    assert!(lock.is_locked().unwrap());
    let seen = lock.holder().unwrap().unwrap();
    assert_eq!((seen.pid, seen.info), (Some(holder.pid()), None));
    assert!(lock.try_acquire().unwrap_err().is_timeout());
    assert!(lock.acquire(Duration::from_millis(1)).unwrap_err().is_timeout());
    // Its holder has mapped what is gone now, and must not touch it when it releases. (It looks at
    // the file once in 10 ms: longer than that is how long somebody holds who is to notice.)
    thread::sleep(Duration::from_millis(20));
    holder.end();
    drop(lock.acquire(LONG).unwrap());
    assert!(lock.last_holder().unwrap().is_some());

    // A file that was removed while this process has it mapped is made anew.
    fs::remove_file(record(&name)).unwrap();
    thread::sleep(Duration::from_millis(20));
    drop(lock.acquire(LONG).unwrap());
    assert!(lock.last_holder().unwrap().is_some());
    fs::remove_file(record(&name)).unwrap();
}

#[test]
fn whoever_binds_the_address_and_sends_what_he_likes_grants_nothing() {
    let name = unique_name("impostor");
    let bind = |address: String| {
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(address).unwrap()).unwrap()
    };
    let impostor = bind(format!("/portlock/{name}"));
    impostor.set_nonblocking(true).unwrap();
    let other_listener = bind(format!("/test-impostor/{name}"));
    let null = fs::File::open("/dev/null").unwrap();
    let (not_listening, _pair) = std::os::unix::net::UnixStream::pair().unwrap();
    let lock = open(&name);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire(Duration::from_millis(500)));
        let descriptors = [null.as_raw_fd(), other_listener.as_raw_fd(), not_listening.as_raw_fd()];
        // None once the waiter waits no more.
        let accept = || loop {
            match impostor.accept() {
                Ok((connection, _)) => break Some(connection),
                Err(_) if waiter.is_finished() => break None,
                Err(_) => thread::sleep(Duration::from_micros(200)),
            }
        };
        for descriptors in [&descriptors[..1], &descriptors[1..2], &descriptors[2..], &descriptors]
        {
            let Some(connection) = accept() else { break };
            send_descriptors(&connection, descriptors);
        }
        // It has the lock's address, and is no listener.
        if let Some(connection) = accept() {
            send_descriptors(&connection, &[connection.as_raw_fd()]);
        }
        for bytes in [&b""[..], b"\0", b"take it", &[0xff; 4096]] {
            let Some(mut connection) = accept() else { break };
            let _ = connection.write_all(bytes);
        }
        // The rest of its time it waits for one that answers nobody.
        let error = waiter.join().unwrap().unwrap_err();
        let LockError::Timeout { holder: Some(holder), .. } = error else { panic!("{error:?}") };
        assert_eq!(holder.pid, Some(std::process::id()));
    });
    drop(impostor);
    drop(lock.acquire(LONG).unwrap());
}

/// Needs the right to make a network namespace: run as root, or it says that it was skipped.
#[test]
fn a_holder_in_another_network_namespace_is_an_error_and_not_silence() {
    let alone = ["unshare", "--net"];
    if !may_be_alone(&alone) {
        return;
    }
    let name = unique_name("namespace");
    let mut holder = Actor::start_under(&alone, "hold", &name);
    holder.expect("holding");
    // What is bound here in vain is locked for as long as a child that is being started has a copy of it.
    let alone = none_starts();
    let lock = open(&name);
    let error = lock.acquire(LONG).unwrap_err();
    assert!(matches!(error, LockError::OtherNamespace { .. }), "{error:?}");
    assert!(error.to_string().contains("in another network namespace"), "{error}");
    assert!(error.to_string().contains("elsewhere"), "{error}");
    // Looking says the same.
    let looked = [lock.is_locked().unwrap_err(), lock.holder().unwrap_err()];
    for error in looked {
        assert!(matches!(error, LockError::OtherNamespace { .. }), "{error:?}");
    }
    let address = SocketAddr::from_abstract_name(format!("/portlock/{name}")).unwrap();
    drop(UnixListener::bind_addr(&address).expect("what was bound in vain is given back"));
    drop(alone);
    holder.kill();
    // Who is dead holds nothing anywhere.
    drop(lock.acquire(LONG).unwrap());
}
