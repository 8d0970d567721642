//! What a machine or an administrator can be short of: shared memory, places in a queue, addresses in memory. A lock
//! works without, or its error says what was missing.

mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{Backend, LockError};
use nix::mount::{mount, MsFlags};
use nix::sys::resource::{setrlimit, Resource};
use support::{
    backend, hold, is_timeout, may_be_alone, on_each_backend, open, say, unique_name, unique_tcp,
    Actor, LONG,
};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("hold without memory", hold_without_memory),
        ("one place", crowd_into_one_place),
        ("turns", take_turns),
        ("no room", acquire_without_room),
    ]);
}

const ALONE: [&str; 2] = ["unshare", "--mount"];

fn mount_memory(at: &str, flags: MsFlags) {
    let options = Some("size=4k,nr_inodes=10");
    mount(Some("tmpfs"), at, Some("tmpfs"), flags, options).unwrap();
}

/// In a mount namespace of its own, in which `/dev/shm` is as the argument says.
fn hold_without_memory(argument: &str) {
    let (memory, name) = argument.split_once(' ').unwrap();
    match memory {
        "full" => {
            mount_memory("/dev/shm", MsFlags::empty());
            fs::write("/dev/shm/full", [1; 4096]).unwrap();
        }
        "read-only" => mount_memory("/dev/shm", MsFlags::MS_RDONLY),
        _ => mount_memory("/dev", MsFlags::empty()),
    }
    hold(name);
}

#[test]
fn without_shared_memory_sockets_exclude_and_the_kernel_names_the_holder() {
    if !may_be_alone(&ALONE) {
        return;
    }
    for memory in ["full", "read-only", "missing"] {
        for name in [unique_name(memory), unique_tcp(memory)] {
            let mut holder =
                Actor::start_under(&ALONE, "hold without memory", &format!("{memory} {name}"));
            holder.expect("holding");
            let lock = open(&name);
            assert!(is_timeout(&lock.acquire(Duration::from_millis(20))), "{memory}");
            let seen = lock.holder().unwrap().expect("a holder");
            assert_eq!(seen.pid, Some(holder.pid()), "{memory}: {seen}");
            holder.kill();
            drop(lock.acquire(LONG).unwrap());
        }
    }
}

const TURNS: usize = 30;

fn take_turns(name: &str) {
    let lock = open(name);
    for _ in 0..TURNS {
        let guard = lock.acquire(LONG).unwrap();
        thread::sleep(Duration::from_micros(200));
        drop(guard);
    }
    say("done");
}

/// Six processes in a network namespace of its own, where each queue has one place.
fn crowd_into_one_place(name: &str) {
    fs::write("/proc/sys/net/core/somaxconn", "1").unwrap();
    let mut actors: Vec<_> = (0..6).map(|_| Actor::start("turns", name)).collect();
    // Looks need a place, too.
    let lock = open(name);
    for _ in 0..20 {
        lock.holder().unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    for actor in &mut actors {
        actor.expect("done");
    }
    let guard = lock.acquire(LONG).unwrap();
    assert!(lock.is_locked().unwrap());
    drop(guard);
    assert!(!lock.is_locked().unwrap());
    actors.into_iter().for_each(Actor::end);
    say("all done");
}

#[test]
fn where_a_queue_has_one_place_all_get_the_lock() {
    let alone = ["unshare", "--net"];
    if !may_be_alone(&alone) {
        return;
    }
    on_each_backend("one-place", |name| {
        let start = Instant::now();
        let mut crowd = Actor::start_under(&alone, "one place", name);
        crowd.expect("all done");
        crowd.end();
        println!("{name}: {:?}", start.elapsed());
    });
}

/// Acquires where no more memory can be mapped.
fn acquire_without_room(name: &str) {
    let lock = open(name);
    // Allocations of a few hundred bytes are met from what the allocator has.
    drop(vec![0_u8; 64 << 10]);
    setrlimit(Resource::RLIMIT_AS, 1 << 20, 1 << 20).unwrap();
    let acquired = lock.acquire(LONG);
    let said = match &acquired {
        Ok(_) => "acquired".to_owned(),
        Err(LockError::Io { source, .. }) => format!("{:?}", source.raw_os_error()),
        Err(error) => error.to_string(),
    };
    drop(acquired);
    say(&said);
}

#[test]
fn without_room_in_memory_sockets_work_and_a_semaphore_is_an_error() {
    on_each_backend("no-room", |name| {
        let mut actor = Actor::start("no room", name);
        let out_of_memory = format!("{:?}", Some(nix::libc::ENOMEM));
        match backend(name) {
            Backend::Semaphore => actor.expect(&out_of_memory),
            _ => actor.expect("acquired"),
        }
        actor.end();
        drop(open(name).acquire(LONG).unwrap());
    });
}
