//! What stands in a page after each thing that a holder writes.

use std::sync::atomic::{AtomicBool, AtomicU64};

use super::super::layout::{TEXT_BYTES, TEXT_WORDS};
use super::*;
use crate::sys::mapping::PAGE_WORDS;
use crate::sys::process::effective_uid;
use crate::sys::thread;

/// Whatever was there before.
const OLD: u64 = u64::from_ne_bytes(*b"old page");

fn page() -> Box<Words> {
    Box::new([(); PAGE_WORDS].map(|()| AtomicU64::new(OLD)))
}

fn get(words: &Words, field: Field) -> u64 {
    field.of(words).load(Ordering::Relaxed)
}

fn bytes(words: &Words, from: usize, length: usize) -> Vec<u8> {
    let words = words[from..].iter().flat_map(|it| it.load(Ordering::Relaxed).to_ne_bytes());
    words.take(length).collect()
}

fn text_of(words: &Words) -> Option<String> {
    let text = bytes(words, 0, TEXT_BYTES);
    text::info_of(&text, get(words, Field::TextDigest), get(words, Field::GrantedWall))
}

fn is_an_owners(words: &Words) -> bool {
    let text = words[..TEXT_WORDS].iter().map(|word| word.load(Ordering::Relaxed));
    text::is_an_owners(text, 0)
}

/// What is left of the one before is told of this holder, or decides whether it has died.
#[test]
fn a_grant_leaves_nothing_of_the_one_before() {
    let words = page();
    Field::Sequence.of(&words).store(8, Ordering::Relaxed);
    effective_uid(); // as an acquire does before
    let before = clock::wall_at(5);
    let network = Some(Network::from_word(77));
    grant(&words, TEXT_BYTES, "bus", network, 5, Info::Text("here"), thread::current());
    let process = Process::this();
    for (field, word) in [
        (Field::Magic, MAGIC),
        (Field::Version, VERSION),
        (Field::Sequence, 10),
        (Field::Writer, Writer::this().word.0),
        (Field::Pid, process.identity.pid.into()),
        (Field::PidNamespace, process.identity.pid_namespace),
        (Field::StartTime, process.identity.start_time),
        (Field::TimeNamespace, process.identity.time_namespace),
        (Field::Image, process.identity.image),
        (Field::Random, process.random),
        (Field::Network, 77),
        (Field::Uid, effective_uid().into()),
        (Field::Thread, thread::current().tid.into()),
        (Field::GrantedMonotonic, 5),
        (Field::ReleasedMonotonic, 0),
        (Field::Handed, 0),
        (Field::NameLength, 3),
    ] {
        assert_eq!(get(&words, field), word, "{field:?}");
    }
    // The same moment, but for a step of the wall clock.
    assert_ne!(get(&words, Field::GrantedWall), OLD);
    assert!(get(&words, Field::GrantedWall) >= before / 2);
    assert_eq!(bytes(&words, Field::Name as usize, 4), b"bus\0");
    let command = bytes(&words, Field::Command as usize, process.command.len());
    assert_eq!(command, process.command);
    assert_eq!(text_of(&words).as_deref(), Some("here"));
    // What a semaphore's protocol and its waiters write is theirs.
    for field in [Field::Owner, Field::Signature, Field::Waiting, Field::TextLimit] {
        assert_eq!(get(&words, field), OLD, "{field:?}");
    }
}

/// Who dies in between would leave a part of its text behind another program's first word, and its lock would be taken
/// for that program's.
#[test]
fn a_text_is_marked_before_any_of_it_is_written() {
    const WORD: usize = 20;
    const LOOKS: u32 = 200_000;

    let words = page();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                // No program writes such a word. In the text the number stands in a word of its own.
                words[0].store(number, Ordering::Relaxed);
                let before = "x".repeat(WORD * 8 - text::STAMP_BYTES);
                let text = format!("{before}{number:08}{}", "x".repeat(3_000));
                grant(&words, TEXT_BYTES, "bus", None, 5, Info::Text(&text), thread::current());
            }
        });
        let is_early = (0..LOOKS).any(|_| {
            let shown = words[WORD].load(Ordering::Acquire).to_ne_bytes();
            let first = words[0].load(Ordering::Relaxed);
            shown == *format!("{first:08}").as_bytes()
        });
        is_over.store(true, Ordering::Relaxed);
        assert!(!is_early);
    });
}

#[test]
fn a_semaphores_grant_says_nothing_of_a_network() {
    let words = page();
    grant(&words, TEXT_BYTES, "bus", None, 5, Info::Text("here"), thread::current());
    assert_eq!(get(&words, Field::Network), OLD);
}

#[test]
fn another_text_takes_the_place_of_the_first_with_its_time() {
    let words = page();
    grant(&words, TEXT_BYTES, "bus", None, 5, Info::Text("here"), thread::current());
    let (stamp, wall) = (bytes(&words, 0, 29), get(&words, Field::GrantedWall));
    let first = words[0].load(Ordering::Relaxed);
    assert!(info(&words, TEXT_BYTES, first, Info::Text("there")));
    assert_eq!(text_of(&words).as_deref(), Some("there"));
    assert_eq!((bytes(&words, 0, 29), get(&words, Field::GrantedWall)), (stamp, wall));
    assert_eq!(get(&words, Field::Sequence) % 2, 0);
    // Another process marks the text before it takes the lock over: the holder's own stays.
    text::mark(&words);
    assert!(info(&words, TEXT_BYTES, first, Info::Text("again")));
    assert_eq!(text_of(&words).as_deref(), Some("again"));
}

/// It tells that a foreign program has the lock.
#[test]
fn a_foreign_text_stays_that_comes_before_or_while_another_is_written() {
    let words = page();
    grant(&words, TEXT_BYTES, "bus", None, 5, Info::Text("here"), thread::current());
    let first = words[0].load(Ordering::Relaxed);
    words[0].store(OLD, Ordering::Relaxed);
    assert!(!info(&words, TEXT_BYTES, first, Info::Text("there")));
    assert_eq!(words[0].load(Ordering::Relaxed), OLD);
    assert_eq!(text_of(&words), None);

    assert!(text::mark_after(&words, OLD) && is_an_owners(&words));
    let written = text::write(&words, TEXT_BYTES, 0, Info::Text("there"));
    words[0].store(OLD, Ordering::Relaxed);
    assert!(!written.commit_over_mark(&words));
    assert_eq!(words[0].load(Ordering::Relaxed), OLD);
}

#[test]
fn a_text_is_marked_only_if_it_is_the_one_that_was_read() {
    let words = page();
    assert!(!text::mark_after(&words, OLD + 1) && !is_an_owners(&words));
    assert!(text::mark_after(&words, OLD) && is_an_owners(&words));
    assert!(text::mark_after(&words, OLD), "another writer has marked it");
    let written = text::write(&words, TEXT_BYTES, 0, Info::Text("there"));
    assert!(written.commit_over_mark(&words) && !is_an_owners(&words));
}

/// Otherwise the numbers that happened to be there would be a holder.
#[test]
fn who_lets_go_where_nobody_was_granted_anything_names_no_holder() {
    let words = page();
    Field::Sequence.of(&words).store(8, Ordering::Relaxed);
    handed(&words, "bus", Some(8));
    let this = Process::this().identity;
    for (field, word) in [
        (Field::Magic, MAGIC),
        (Field::Version, VERSION),
        (Field::Sequence, 10),
        (Field::Pid, 0),
        (Field::Writer, 0),
        (Field::NameLength, 3),
        (Field::Handed, u64::from(this.pid) << 32 | 8),
        (Field::HandedNamespace, this.pid_namespace),
    ] {
        assert_eq!(get(&words, field), word, "{field:?}");
    }
    assert_eq!(bytes(&words, Field::Name as usize, 4), b"bus\0");
    handed(&words, "bus", None);
    assert_eq!(get(&words, Field::Handed), u64::from(this.pid) << 32);
    // In a record of a grant, that stays.
    let words = page();
    grant(&words, TEXT_BYTES, "bus", None, 5, Info::Text("here"), thread::current());
    let sequence = get(&words, Field::Sequence);
    handed(&words, "bus", Some(8));
    assert_eq!(get(&words, Field::Pid), u64::from(this.pid));
    assert_eq!(get(&words, Field::Sequence), sequence);
    assert_eq!(get(&words, Field::Handed), u64::from(this.pid) << 32 | 8);
}
