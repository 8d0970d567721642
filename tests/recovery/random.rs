//! Deaths at random moments.

use std::thread;
use std::time::{Duration, Instant};

use lockattr::LockError;

use crate::support::{open, remove_semaphore, say, unique_semaphore, Actor, LONG};
use crate::LONG_TEXT;

/// The first word of a page behind the text: see the runtime's record/layout.rs.
const RECORD: usize = 3584 / 8;

fn spin(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {
        std::hint::spin_loop();
    }
}

/// Takes the lock again and again, with a text of so many bytes, and stays in the body for so many
/// microseconds.
pub(crate) fn repeat(argument: &str) {
    let mut words = argument.split(' ');
    let lock = open(words.next().unwrap());
    let mut number = || words.next().unwrap().parse::<usize>().unwrap();
    let (text, body) = ("i".repeat(number()), Duration::from_micros(number() as u64));
    drop(lock.acquire(LONG).unwrap());
    say("ready");
    loop {
        let guard = lock.with().timeout(LONG).info(&text).acquire().unwrap();
        if !body.is_zero() {
            spin(body);
        }
        drop(guard);
    }
}

/// What kills at random moments leave behind.
#[derive(Debug, Default)]
struct Left {
    taken: usize,
    orphaned: usize,
    /// Taken for a foreign program's lock.
    foreign: usize,
    /// Inherited, but not in the time that the acquire had.
    late: usize,
}

/// What the files of a semaphore hold, in words.
fn describe(name: &str) -> String {
    let semaphore = std::fs::read(format!("/dev/shm/sem.{name}")).unwrap_or_default();
    let page = std::fs::read(format!("/dev/shm/{name}")).unwrap_or_default();
    let word = |index: usize| {
        let bytes = page.get(8 * index..8 * index + 8);
        bytes.map_or(0, |bytes| u64::from_ne_bytes(bytes.try_into().unwrap()))
    };
    let text = String::from_utf8_lossy(page.get(..48).unwrap_or_default()).into_owned();
    let fields: Vec<_> = (RECORD..RECORD + 24).map(|index| format!("{:x}", word(index))).collect();
    let table = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let queue: Vec<_> = table.lines().filter(|line| line.contains(name)).collect();
    format!("semaphore {semaphore:x?}\ntext {text:?}\nfields {fields:x?}\nqueue {queue:#?}")
}

fn kill_at_random(kills: usize, text: usize, body: usize) -> Left {
    let name = unique_semaphore("random");
    let lock = open(&name);
    let mut left = Left::default();
    // A small generator of its own, so that a run can be repeated.
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..kills {
        let mut victim = Actor::start("repeat", &format!("{name} {text} {body}"));
        victim.expect("ready");
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        spin(Duration::from_micros(random % 900));
        victim.kill();
        match lock.acquire(Duration::from_millis(200)) {
            Ok(_) => left.taken += 1,
            Err(LockError::Orphaned { .. }) => left.orphaned += 1,
            Err(error @ LockError::Timeout { .. }) => {
                println!("{error}\n{}", describe(&name));
                // Unless it was for want of a processor, more time changes nothing.
                match lock.acquire(LONG / 4) {
                    Ok(_) => left.late += 1,
                    Err(error) => {
                        println!("and again: {error}");
                        left.foreign += 1;
                    }
                }
            }
            Err(error) => panic!("{error}"),
        }
        if lock.is_locked().unwrap() {
            assert!(lock.force_release().unwrap());
        }
    }
    println!("{kills} kills, text of {text}, body of {body} us: {left:?}");
    remove_semaphore(&name);
    left
}

/// `LOCKATTR_KILLS` sets the number of kills in each kind of loop.
#[test]
fn a_death_while_a_text_is_written_is_recovered() {
    let kills = std::env::var("LOCKATTR_KILLS").map_or(40, |kills| kills.parse().unwrap());
    thread::scope(|scope| {
        for (text, body) in [(LONG_TEXT, 0), (60, 0), (LONG_TEXT, 20), (60, 20)] {
            scope.spawn(move || {
                let left = kill_at_random(kills, text, body);
                assert_eq!(left.foreign, 0, "text of {text}, body of {body} us");
                assert!(left.late <= 1 + kills / 100, "{} were late", left.late);
                // Where the body is empty, a good part of all instructions is between unit and word, and
                // more of them in a debug build.
                let part = match (body, cfg!(debug_assertions)) {
                    (0, true) => 8,
                    (0, false) => 50,
                    _ => 1_000,
                };
                let most = kills / part + if body == 0 { 3 } else { 1 };
                assert!(left.orphaned <= most, "{} orphans, body of {body} us", left.orphaned);
            });
        }
    });
}
