//! Deadlines and costs beside neighbours that mean harm.
//!
//! `LOCKATTR_TIMEOUTS` sets how many timeouts each neighbour is given a chance to make late.

mod support;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{getrlimit, rlim_t, setrlimit, Resource};
use nix::time::{clock_gettime, ClockId};
use support::{end_child, keep_copies_in_a_child, send_descriptors, unique_name};
use support::{eventually, hold, is_timeout, listen, open, say};
use support::{Actor, End, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("hoard", hoard),
        ("be busy", be_busy),
        ("crowd of threads", crowd_of_threads),
    ]);
}

/// Longer than any machine is late by itself.
const LINGER: Duration = Duration::from_secs(3);

fn address(name: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(format!("/portlock/{name}")).unwrap()
}

/// A TCP socket whose last `close` takes [`LINGER`], and the end that does not read.
fn lingering() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (other, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    while stream.write(&[0; 8192]).is_ok() {}
    socket2::SockRef::from(&stream).set_linger(Some(LINGER)).unwrap();
    (stream, other)
}

/// How much processor's time this thread has needed: on a busy machine that says more than a clock.
fn work_of<T>(does: impl FnOnce() -> T) -> (T, Duration) {
    let work = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let before = work();
    let result = does();
    (result, work().saturating_sub(before))
}

/// Times out again and again, and says how much work that was at least, and how late the latest was.
fn late_timeouts(name: &str) -> (Duration, Duration) {
    const TIMEOUT: Duration = Duration::from_millis(100);
    let timeouts =
        std::env::var("LOCKATTR_TIMEOUTS").map_or(4, |number| number.parse().expect("a number"));
    let lock = open(name);
    let timeouts = (0..timeouts).map(|_| {
        let start = Instant::now();
        let (refused, work) = work_of(|| lock.acquire(TIMEOUT));
        assert!(is_timeout(&refused), "{refused:?}");
        (work, start.elapsed().saturating_sub(TIMEOUT))
    });
    let (works, late): (Vec<_>, Vec<_>) = timeouts.unzip();
    let (least, latest) = (works.into_iter().min().unwrap(), late.into_iter().max().unwrap());
    println!("{least:?} of work at least, {latest:?} late at most");
    (least, latest)
}

/// The machine is shared, so this is generous; what is tested for takes seconds.
const LATE: Duration = Duration::from_millis(1500);

/// For a wait and a search of 5 ms for whom to name.
const ENOUGH: Duration = Duration::from_millis(15);

/// Has the lock's address, and does to each connection what `greet` does.
fn beside_an_impostor(what: &str, greet: impl Fn(&UnixStream, RawFd) + Sync) {
    let name = unique_name(what);
    let impostor = UnixListener::bind_addr(&address(&name)).unwrap();
    impostor.set_nonblocking(true).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let end = End(&done);
        let greeting = scope.spawn(|| {
            let mut kept = Vec::new();
            while !done.load(Ordering::Relaxed) {
                match impostor.accept() {
                    Ok((connection, _)) if kept.len() < 400 => {
                        let (alien, other) = lingering();
                        greet(&connection, alien.as_raw_fd());
                        kept.push((connection, other));
                    }
                    _ => thread::sleep(Duration::from_micros(200)),
                }
            }
            // What still lies in a connection closes by the other end's reset, not by its linger.
            kept
        });
        let (_, latest) = late_timeouts(&name);
        drop(end);
        drop(greeting.join().unwrap());
        assert!(latest < LATE, "{latest:?}");
    });
}

#[test]
fn a_descriptor_that_is_slow_to_close_makes_nobody_late() {
    beside_an_impostor("alien", |connection, alien| send_descriptors(connection, &[alien]));
}

#[test]
fn more_descriptors_than_there_is_room_for_make_nobody_late() {
    beside_an_impostor("aliens", |connection, alien| {
        let null = std::fs::File::open("/dev/null").unwrap();
        send_descriptors(connection, &[null.as_raw_fd(), null.as_raw_fd(), alien, alien]);
    });
}

#[test]
fn a_descriptor_behind_other_bytes_makes_nobody_late() {
    beside_an_impostor("behind", |mut connection, alien| {
        let _ = connection.write_all(b"x");
        send_descriptors(connection, &[alien]);
    });
}

/// As before, but what is sent lies there, and has no other owner, before the waiter looks.
#[cfg(feature = "async")]
#[test]
fn what_lies_in_a_connection_makes_nobody_late_who_looks_or_leaves() {
    use futures_lite::future::{block_on, poll_once};
    const TIMEOUT: Duration = Duration::from_millis(50);

    for (bytes, messages) in [(0, 1), (0, 3), (1, 1), (5, 2)] {
        for leaves in [false, true] {
            let name = unique_name("lies");
            let impostor = UnixListener::bind_addr(&address(&name)).unwrap();
            let lock = open(&name);
            let start = Instant::now();
            let mut waiting = Box::pin(lock.acquire_async(TIMEOUT));
            assert!(block_on(poll_once(waiting.as_mut())).is_none());
            let (mut connection, _) = impostor.accept().unwrap();
            connection.write_all(&[0; 5][..bytes]).unwrap();
            let (aliens, others): (Vec<_>, Vec<_>) = (0..messages).map(|_| lingering()).unzip();
            for alien in &aliens {
                send_descriptors(&connection, &[alien.as_raw_fd()]);
            }
            drop(aliens);
            let prepared = start.elapsed();
            if leaves {
                drop(waiting);
            } else {
                assert!(is_timeout(&block_on(waiting)));
            }
            let late = start.elapsed().saturating_sub(TIMEOUT.max(prepared));
            assert!(late < LATE, "{bytes} bytes, {messages} messages, leaves: {leaves}: {late:?}");
            drop(others);
        }
    }
}

/// Sends something that is slow to close within something else, whose linger nothing here can clear.
fn send_nested(connection: &UnixStream, alien: RawFd) {
    let (outer, inner) = UnixStream::pair().unwrap();
    send_descriptors(&outer, &[alien]);
    drop(outer);
    send_descriptors(connection, &[inner.as_raw_fd()]);
}

#[test]
fn one_lock_whose_holder_means_harm_does_not_bar_another() {
    let (name, good) = (unique_name("harm"), unique_name("good"));
    let impostor = UnixListener::bind_addr(&address(&name)).unwrap();
    impostor.set_nonblocking(true).unwrap();
    let done = AtomicBool::new(false);
    let is_done = || done.load(Ordering::Relaxed);
    let mut busy: Vec<Actor> = (0..2).map(|_| Actor::start("be busy", &good)).collect();
    for actor in &mut busy {
        actor.expect("busy");
    }
    thread::scope(|scope| {
        let end = End(&done);
        let greeting = scope.spawn(|| {
            let mut kept = Vec::new();
            while !is_done() {
                match impostor.accept() {
                    Ok((connection, _)) if kept.len() < 100 => {
                        let (alien, other) = lingering();
                        send_nested(&connection, alien.as_raw_fd());
                        kept.push((connection, other));
                    }
                    _ => thread::sleep(Duration::from_micros(200)),
                }
            }
            kept
        });
        scope.spawn(|| {
            while !is_done() {
                let _ = open(&name).acquire(Duration::from_millis(200));
            }
        });
        let lock = open(&good);
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed() < Duration::from_secs(2) {
            count += u32::from(lock.acquire(Duration::from_secs(1)).is_ok());
        }
        drop(end);
        drop(greeting.join().unwrap());
        assert!(count >= 10, "{count} acquires");
    });
}

/// Holds the lock, and takes it again at once.
fn be_busy(name: &str) {
    let lock = open(name);
    say("busy");
    // Until its test is over, and kills it.
    loop {
        let guard = lock.acquire(LONG).unwrap();
        thread::sleep(Duration::from_millis(2));
        drop(guard);
    }
}

/// Gives the lock back, but for a copy in a child, and has many threads, each of which may have children.
fn crowd_of_threads(name: &str) {
    const THREADS: usize = 10_000;

    let guard = open(name).acquire(LONG).unwrap();
    let child = keep_copies_in_a_child();
    drop(guard);
    let end = std::sync::Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            thread::Builder::new()
                .stack_size(64 << 10)
                .spawn_scoped(scope, || {
                    end.wait();
                })
                .unwrap();
        }
        say("crowded");
        listen();
        end.wait();
    });
    end_child(child);
}

#[test]
fn many_threads_of_the_last_holder_make_no_timeout_late() {
    let name = unique_name("threads");
    let mut holder = Actor::start("crowd of threads", &name);
    holder.expect("crowded");
    let (least, latest) = late_timeouts(&name);
    assert!(least < ENOUGH && latest < LATE, "{least:?}, {latest:?}");
    holder.end();
}

#[test]
fn what_strangers_left_in_the_queue_does_not_hold_up_the_release() {
    let name = unique_name("left");
    let lock = open(&name);
    // Few that are looked through, and more than are looked through.
    for strangers in [8, 600] {
        let guard = lock.acquire(LONG).unwrap();
        let others: Vec<_> = (0..strangers)
            .map(|number| {
                let stranger = UnixStream::connect_addr(&address(&name)).unwrap();
                (number % 100 == 0 || strangers < 100).then(|| {
                    let (alien, other) = lingering();
                    send_descriptors(&stranger, &[alien.as_raw_fd()]);
                    other
                })
            })
            .collect();
        let start = Instant::now();
        drop(guard);
        let release = start.elapsed();
        let start = Instant::now();
        drop(lock.acquire(LONG).unwrap());
        let acquire = start.elapsed();
        println!("{strangers} strangers: release {release:?}, acquire {acquire:?}");
        assert!(release < LATE && acquire < LATE, "{release:?}, {acquire:?}");
        drop(others);
    }
}

/// Binds the lock's address and does not listen, behind many open descriptors.
fn hoard(name: &str) {
    const MANY: rlim_t = 200_000;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let number = hard.min(MANY + 100);
    setrlimit(Resource::RLIMIT_NOFILE, number, hard).unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let files: Vec<_> = (0..number - 100).map_while(|_| null.try_clone().ok()).collect();
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(format!("\0/portlock/{name}")).unwrap()).unwrap();
    say(&files.len().to_string());
    listen();
}

#[test]
fn many_open_descriptors_make_no_timeout_late() {
    let name = unique_name("hoard");
    let mut hoarder = Actor::start("hoard", &name);
    let files: usize = hoarder.hear().parse().unwrap();
    println!("{files} descriptors");
    // Who has time to look finds the holder, and takes as long as that takes.
    let (holder, whole) = work_of(|| open(&name).holder());
    assert_eq!(holder.unwrap().unwrap().pid, Some(hoarder.pid()));
    // A search without an end would make each of them late.
    let (least, _) = late_timeouts(&name);
    assert!(least < (whole / 2).max(ENOUGH), "{least:?}, {whole:?}");
    hoarder.end();
}

#[test]
fn many_records_of_others_make_no_timeout_late() {
    /// Removes what the test made, also where it fails.
    struct Files(Vec<String>);
    impl Drop for Files {
        fn drop(&mut self) {
            for path in &self.0 {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    let name = unique_name("crowd");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let files = (0..30_000).map(|user| format!("/dev/shm/lockattr.{}.{name}", 900_000 + user));
    let files = Files(files.collect());
    for path in &files.0 {
        std::fs::write(path, "").unwrap();
    }
    // With a full queue the kernel does not say who holds, so the records are looked through.
    let full = socket2::SockAddr::unix(format!("\0/portlock/{name}")).unwrap();
    let kind = socket2::Type::STREAM.nonblocking();
    while socket2::Socket::new(socket2::Domain::UNIX, kind, None).unwrap().connect(&full).is_ok() {}
    let (told, whole) = work_of(|| open(&name).last_holder());
    assert!(told.unwrap().is_some());
    // A search without an end would make each of them late.
    let (least, _) = late_timeouts(&name);
    assert!(least < (whole / 2).max(ENOUGH), "{least:?}, {whole:?}");
    // One that waits for itself is told at once, too.
    drop(files);
    holder.end();
}

#[test]
fn one_that_accepts_and_closes_costs_a_waiter_little() {
    let name = unique_name("closes");
    let impostor = UnixListener::bind_addr(&address(&name)).unwrap();
    impostor.set_nonblocking(true).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let end = End(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if impostor.accept().is_err() {
                    thread::sleep(Duration::from_micros(20));
                }
            }
        });
        let cost = scope.spawn(|| {
            let lock = open(&name);
            let (refused, work) = work_of(|| lock.acquire(Duration::from_secs(1)));
            assert!(is_timeout(&refused));
            work
        });
        let cost = cost.join().unwrap();
        drop(end);
        println!("a second of waiting cost {cost:?}");
        assert!(cost < Duration::from_millis(80), "{cost:?}");
    });
}

#[test]
fn a_release_does_not_pay_for_all_who_gave_up_and_those_who_wait_get_the_lock() {
    let releases = (0..5).map(|_| time_of_a_release_behind_dead_entries());
    let shortest = releases.min().unwrap();
    println!("a release behind 3,000 dead entries took {shortest:?}");
    assert!(shortest < Duration::from_millis(25), "{shortest:?}");
}

fn time_of_a_release_behind_dead_entries() -> Duration {
    let name = unique_name("gave-up");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let full = socket2::SockAddr::unix(format!("\0/portlock/{name}")).unwrap();
    let kind = socket2::Type::STREAM.nonblocking();
    for number in 0..3_000 {
        let gone = socket2::Socket::new(socket2::Domain::UNIX, kind, None).unwrap();
        let address = format!("\0/portwait/1.{number}/{name}");
        gone.bind(&socket2::SockAddr::unix(address).unwrap()).unwrap();
        gone.connect(&full).unwrap();
    }
    thread::scope(|scope| {
        let waiter = scope.spawn(|| open(&name).acquire(LONG).map(drop));
        eventually("the thread waits", || waits_for(&name));
        let start = Instant::now();
        drop(guard);
        let release = start.elapsed();
        waiter.join().unwrap().unwrap();
        release
    })
}

/// Whether this process waits for the lock.
fn waits_for(name: &str) -> bool {
    let table = String::from_utf8_lossy(&std::fs::read("/proc/net/unix").unwrap()).into_owned();
    let waiter = format!("@/portwait/{}.", std::process::id());
    table.lines().any(|line| line.contains(&waiter) && line.ends_with(&format!("/{name}")))
}

#[test]
fn addresses_of_waiters_that_others_have_bound_keep_nobody_from_waiting() {
    let name = unique_name("squatted");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let bind = |number: u32| {
        let address = format!("/portwait/{}.{number}/{name}", std::process::id());
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(address).unwrap()).unwrap()
    };
    let squatted: Vec<_> = (0..300).map(bind).collect();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| open(&name).acquire(Duration::from_millis(30)));
        let refused = waiter.join().unwrap();
        assert!(is_timeout(&refused), "{refused:?}");
    });
    drop(squatted);
    drop(guard);
}

#[test]
fn a_listener_that_comes_blocking_is_made_not_to_block() {
    use nix::fcntl::{fcntl, FcntlArg, OFlag};
    let name = unique_name("blocking");
    let listener = UnixListener::bind_addr(&address(&name)).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| open(&name).acquire(LONG).unwrap());
        let (connection, _) = listener.accept().unwrap();
        send_descriptors(&connection, &[listener.as_raw_fd()]);
        let guard = waiter.join().unwrap();
        let flags = fcntl(&listener, FcntlArg::F_GETFL).unwrap();
        assert!(OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK));
        drop(guard);
    });
}
