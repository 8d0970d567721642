//! `k3portlock` where it has no abstract unix sockets, on the locks of the TCP backend.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockattr::{Backend, Lock};

use super::portlock::comes_when_python_releases_or_dies;
use super::python::Script;
use super::support;
use super::support::{connections_to_locks, eventually, is_timeout, listen, open, say};
use super::support::{unique_tcp, Actor, LONG};

/// A Python process that uses `k3portlock` as on another system.
fn start() -> Option<Script> {
    Script::start("portlock.py", &["tcp"])
}

#[test]
fn what_python_holds_is_refused_and_nobody_is_named() {
    let Some(mut portlock) = start() else {
        return;
    };
    let name = unique_tcp("python-holds");
    let lock = open(&name);
    assert_eq!(portlock.ask(&format!("acquire {name} 1")), "acquired");
    assert!(lock.is_locked().unwrap());
    for timeout in [Duration::from_millis(50), Duration::ZERO] {
        let start = Instant::now();
        let refused = lock.acquire(timeout);
        assert!(is_timeout(&refused), "{refused:?}");
        assert!(start.elapsed() >= timeout);
    }
    // The kernel does not say who has bound a port.
    assert_eq!(lock.holder().unwrap().unwrap().pid, None);
    assert_eq!(portlock.ask(&format!("release {name}")), "released");
    drop(lock.try_acquire().unwrap());
    assert!(!lock.is_locked().unwrap());
}

#[test]
fn what_rust_holds_python_waits_for() {
    let Some(mut portlock) = start() else {
        return;
    };
    let name = unique_tcp("rust-holds");
    let guard = open(&name).acquire(LONG).unwrap();
    assert_eq!(portlock.ask(&format!("acquire {name} 0.05")), "timeout");
    // One that has waited and given up leaves nothing that keeps a port taken.
    let mut waiter = Actor::start("wait for tcp", &name);
    waiter.expect("waiting");
    eventually("it waits", || connections_to_locks(waiter.pid()) > 0);
    waiter.kill();
    portlock.tell(&format!("acquire {name} 60"));
    drop(guard);
    assert_eq!(portlock.answer(), "acquired");
    assert!(open(&name).try_acquire().is_err());
}

#[test]
fn a_waiter_has_the_lock_when_python_releases_or_dies() {
    comes_when_python_releases_or_dies(start, &unique_tcp("python-ends"));
}

/// Names of all kinds of text, the same in each run.
fn names() -> impl Iterator<Item = String> {
    let mut state = 1_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..1000).map(move |_| {
        let length = 1 + next(60);
        let limit = [0x7f, 0x7ff, 0x1_0000, 0x11_0000][usize::try_from(next(4)).unwrap()];
        let characters = (0..length).map(|_| {
            let code = 1 + u32::try_from(next(limit - 1)).unwrap();
            char::from_u32(code).unwrap_or('ß')
        });
        characters.collect()
    })
}

#[test]
fn the_ports_of_1000_names_are_pythons() {
    let Some(mut portlock) = start() else {
        return;
    };
    let mut actor = Actor::start("tell ports", "");
    for name in names() {
        let hexadecimal: Vec<_> = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let hexadecimal = hexadecimal.concat();
        let first: u16 = portlock.ask(&format!("port {hexadecimal}")).parse().unwrap();
        // Other programs may have one of the three.
        let told: Vec<u16> = actor.hear().split(' ').map(|port| port.parse().unwrap()).collect();
        assert!(told.iter().all(|port| (first..first + 3).contains(port)), "{name:?}: {told:?}");
        assert_eq!(told.len(), 2);
    }
    actor.end();
}

/// A role: takes the lock of each name, and says at which ports.
pub(crate) fn tell_ports(_: &str) {
    use nix::sys::socket::{getsockname, SockaddrIn};

    for name in names() {
        let lock = Lock::open(Backend::Tcp, &name).unwrap();
        let guard = lock.acquire(LONG).unwrap();
        let ports = (3..32).filter_map(|descriptor| getsockname::<SockaddrIn>(descriptor).ok());
        let ports: Vec<_> = ports.map(|address| address.port().to_string()).collect();
        say(&ports.join(" "));
        drop(guard);
        support::remove_record(&format!("{name}\0tcp"));
    }
}

/// A role: waits for the lock.
pub(crate) fn wait(name: &str) {
    say("waiting");
    drop(open(name).acquire(LONG));
}

/// A role: takes turns until the time is over, holding for so long and pausing for so long each time; says how
/// often it had the lock, and how often it had it not after a second.
pub(crate) fn take_turns(argument: &str) {
    let [name, folder, seconds, hold, pause] =
        argument.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (lock, folder) = (open(name), PathBuf::from(folder));
    let number = |text: &str| Duration::from_secs_f64(text.parse().unwrap());
    let (time, hold, pause) = (number(seconds), number(hold), number(pause));
    nix::unistd::alarm::set((time + 2 * LONG).as_secs().try_into().unwrap());
    say("ready");
    listen();
    let (start, mut turns, mut timeouts) = (Instant::now(), 0, 0);
    while start.elapsed() < time {
        let guard = match lock.acquire(Duration::from_secs(1)) {
            Ok(guard) => guard,
            Err(error) => {
                eprintln!("{error}");
                timeouts += 1;
                continue;
            }
        };
        body(&folder, hold);
        drop(guard);
        turns += 1;
        std::thread::sleep(pause);
    }
    say(&format!("{turns} {timeouts}"));
}

/// As `turn` in the Python script. Fails if somebody is inside.
fn body(folder: &Path, hold: Duration) {
    let inside = folder.join("inside");
    fs::OpenOptions::new().write(true).create_new(true).open(&inside).unwrap();
    std::thread::sleep(hold);
    fs::remove_file(inside).unwrap();
}

/// Lets processes of both take turns, and returns turns and timeouts of each.
fn run(
    rust: usize,
    python: usize,
    seconds: f64,
    hold: f64,
    pause: f64,
) -> Option<[Vec<[u32; 2]>; 2]> {
    let name = unique_tcp("turns");
    let folder = std::env::temp_dir().join(&name);
    fs::create_dir(&folder).unwrap();
    let argument = format!("{name} {} {seconds} {hold} {pause}", folder.display());
    let mut portlocks = (0..python).map(|_| start()).collect::<Option<Vec<_>>>()?;
    let mut actors: Vec<_> = (0..rust).map(|_| Actor::start("take turns", &argument)).collect();
    for actor in &mut actors {
        actor.expect("ready");
    }
    for portlock in &mut portlocks {
        assert_eq!(portlock.ask("ready"), "ready");
    }
    for actor in &mut actors {
        actor.tell("go");
    }
    for portlock in &mut portlocks {
        portlock.tell(&format!("turns {argument}"));
    }
    let numbers_in = |answer: String| {
        let mut numbers = answer.split(' ').map(|number| number.parse().expect("a number"));
        [numbers.next().unwrap(), numbers.next().unwrap()]
    };
    let said = [
        actors.iter_mut().map(|actor| numbers_in(actor.hear())).collect(),
        portlocks.iter_mut().map(|portlock| numbers_in(portlock.answer())).collect(),
    ];
    actors.into_iter().for_each(Actor::end);
    fs::remove_dir_all(folder).unwrap();
    Some(said)
}

fn seconds(default: f64) -> f64 {
    std::env::var("LOCKATTR_HAMMER_SECONDS")
        .map_or(default, |seconds| seconds.parse().expect("a number"))
}

fn sum(of: &[[u32; 2]]) -> [u32; 2] {
    [0, 1].map(|index| of.iter().map(|said| said[index]).sum())
}

/// `LOCKATTR_HAMMER_SECONDS` sets for how long. (Without `Attempt::try_again` every second run of 10 s has a timeout.)
#[test]
fn two_and_two_never_meet() {
    let Some([rust, python]) = run(2, 2, seconds(4.0), 0.0, 0.0002) else { return };
    println!("Rust {rust:?}, Python {python:?} turns and timeouts");
    assert!(rust.iter().chain(&python).all(|[turns, _]| *turns > 0), "{rust:?}, {python:?}");
    assert_eq!(sum(&rust)[1], 0, "timeouts");
}

/// As above.
#[test]
fn eight_are_served_in_time_and_more_often_than_pythons() {
    let seconds = seconds(3.0);
    let Some([rust, _]) = run(8, 0, seconds, 0.001, 0.0) else { return };
    let Some([_, python]) = run(0, 8, seconds, 0.001, 0.0) else { return };
    let Some([beside, among]) = run(8, 8, seconds, 0.001, 0.0) else { return };
    println!("alone: Rust {rust:?}, Python {python:?} turns and timeouts");
    println!("together: Rust {beside:?}, Python {among:?}");
    assert_eq!(sum(&rust)[1], 0, "timeouts: {rust:?}");
    assert_eq!(sum(&beside)[1], 0, "timeouts: {beside:?}");
    // On an idle machine five times as often.
    assert!(sum(&beside)[0] > 2 * sum(&among)[0], "{beside:?}, {among:?}");
}
