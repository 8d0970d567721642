//! Both take turns on one lock.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::support::{listen, say, Actor, LONG};
use super::{semaphore, Name};

/// A role: takes turns until the time is over, and says how many.
pub(crate) fn hammer(argument: &str) {
    let [name, folder, seconds] = argument.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (lock, folder) = (semaphore(name), PathBuf::from(folder));
    let (inside, count) = (folder.join("inside"), folder.join("count"));
    let time = Duration::from_secs(seconds.parse().unwrap());
    nix::unistd::alarm::set((time + 2 * LONG).as_secs().try_into().unwrap());
    say("ready");
    listen();
    let (start, mut turns) = (Instant::now(), 0);
    while turns == 0 || start.elapsed() < time {
        let guard = lock.acquire(LONG).unwrap();
        // Fails if somebody is inside.
        OpenOptions::new().write(true).create_new(true).open(&inside).unwrap();
        let before: u32 = fs::read_to_string(&count).unwrap().parse().unwrap();
        fs::write(&count, (before + 1).to_string()).unwrap();
        fs::remove_file(&inside).unwrap();
        drop(guard);
        turns += 1;
    }
    say(&turns.to_string());
}

/// `LOCKATTR_HAMMER_SECONDS` sets for how long.
#[test]
fn two_and_two_never_meet() {
    let seconds: u32 = std::env::var("LOCKATTR_HAMMER_SECONDS")
        .map_or(4, |seconds| seconds.parse().expect("a number"));
    let name = Name::new("hammer");
    let (Some(one), Some(other)) = (name.python(), name.python()) else { return };
    let folder = std::env::temp_dir().join(&name.0);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("count"), "0").unwrap();

    let mut pythons = [one, other];
    let argument = format!("{} {} {seconds}", name.0, folder.display());
    let mut actors = [(); 2].map(|()| Actor::start("hammer", &argument));
    for actor in &mut actors {
        actor.expect("ready");
    }
    for python in &mut pythons {
        python.tell(&format!("hammer('{}', {seconds})", folder.display()));
    }
    for actor in &mut actors {
        actor.tell("go");
    }
    let rust = actors.each_mut().map(|actor| actor.hear().parse::<u32>().unwrap());
    let python = pythons.each_mut().map(|python| python.answer().parse::<u32>().unwrap());
    for actor in actors {
        actor.end();
    }

    println!("in {seconds} s: Rust {rust:?} turns, Python {python:?}");
    assert!(rust.iter().chain(&python).all(|turns| *turns > 0), "{rust:?}, {python:?}");
    let turns: u32 = rust.iter().chain(&python).sum();
    assert_eq!(fs::read_to_string(folder.join("count")).unwrap(), turns.to_string());
    name.assert_in_order(&mut pythons[0]);
    fs::remove_dir_all(folder).unwrap();
}
