//! Whatever may be found in the place of the files, and in them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use lockattr::LockError;
use nix::libc;

use super::support::{
    eventually, open, remove_semaphore, say, unique_semaphore, waits, Actor, LONG,
};
use super::{in_a_child, record_of, semaphore_of, value};

/// 32, and 16 in a program of 32 bits.
const SEMAPHORE_BYTES: u64 = std::mem::size_of::<libc::sem_t>() as u64;

#[test]
fn a_semaphore_that_was_cut_is_an_error_and_no_crash() {
    for bytes in [0, 1, SEMAPHORE_BYTES - 1, SEMAPHORE_BYTES + 1, 64, 4096] {
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
        let guard = lock.with().timeout(LONG).info("here").acquire().unwrap();
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
    }
}

#[test]
fn a_text_ends_within_what_was_there_for_others() {
    let name = unique_semaphore("limit");
    let file = File::create_new(record_of(&name)).unwrap();
    file.set_len(64).unwrap();
    let _guard = open(&name).with().timeout(LONG).info(&"x".repeat(300)).acquire().unwrap();
    let mut text = [0; 64];
    file.read_exact_at(&mut text, 0).unwrap();
    assert_eq!(text.iter().position(|byte| *byte == 0), Some(63));
}

#[test]
fn a_semaphore_of_another_word_size_is_an_error_and_no_silence() {
    // `sizeof(sem_t)`: 32 bytes in 64-bit programs, 16 in 32-bit ones, glibc and musl alike.
    let other = if cfg!(target_pointer_width = "64") { 16 } else { 32 };
    let name = unique_semaphore("word-size");
    let mut bytes = vec![0; other];
    bytes[0] = 1;
    fs::write(semaphore_of(&name), bytes).unwrap();
    let lock = open(&name);
    for result in [
        lock.acquire(LONG).map(drop),
        lock.is_locked().map(drop),
        lock.holder().map(drop),
        lock.last_holder().map(drop),
        lock.force_release().map(drop),
    ] {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(&format!("has {other} bytes")), "{text}");
        assert!(text.contains("made by a program of another word size"), "{text}");
    }
}

/// How a process ends that holds the lock while its file at `path` is cut to `bytes`: by a guard's
/// drop, by a panic, or leaving the lock taken.
fn end_of_a_holder_whose_file_is_cut(name: &str, path: &Path, bytes: u64, end: u8) -> i32 {
    in_a_child(|| {
        let guard = open(name).acquire(LONG).unwrap();
        File::options().write(true).open(path).unwrap().set_len(bytes).unwrap();
        // It looks at the files' sizes every 10 ms: a hold that ends earlier would not notice.
        thread::sleep(Duration::from_millis(15));
        match end {
            0 => drop(guard),
            1 => {
                let hold = std::panic::AssertUnwindSafe(|| {
                    let _guard = guard;
                    std::panic::resume_unwind(Box::new(()));
                });
                drop(std::panic::catch_unwind(hold));
            }
            _ => guard.detach().unwrap(),
        }
        7
    })
}

/// Waits for the lock for a while, and says how that ended.
pub(crate) fn wait_a_while(name: &str) {
    let result = open(name).acquire(Duration::from_millis(300));
    say(&result.map_or_else(|error| error.to_string(), |_| "acquired".to_owned()));
}

#[test]
fn a_waiter_whose_record_was_cut_goes_on() {
    let name = unique_semaphore("cut-wait");
    let mut holder = Actor::start("hold", &name);
    holder.expect("holding");
    let mut waiter = Actor::start("wait a while", &name);
    eventually("it waits", || waits(&name, waiter.pid()));
    // It looks at the files' sizes after each slice of its wait, but for the first 10 ms.
    thread::sleep(Duration::from_millis(15));
    File::options().write(true).open(record_of(&name)).unwrap().set_len(0).unwrap();
    let said = waiter.hear();
    assert!(said.contains("timed out after "), "{said}");
    waiter.end();
    holder.tell("release");
    holder.expect("released");
    holder.end();
    assert_eq!(value(&name), 1);
}

#[test]
fn a_holder_whose_files_were_cut_ends_without_a_crash() {
    for bytes in [0, 100] {
        for end in [0, 1] {
            let name = unique_semaphore("cut-record");
            let record = record_of(&name);
            assert_eq!(end_of_a_holder_whose_file_is_cut(&name, &record, bytes, end), 7);
            // It is given back whole.
            assert_eq!(value(&name), 1);
            drop(open(&name).acquire(LONG).unwrap());
            assert_eq!(fs::metadata(record).unwrap().len(), 4096);
        }
        let name = unique_semaphore("cut-detached");
        assert_eq!(end_of_a_holder_whose_file_is_cut(&name, &record_of(&name), bytes, 2), 7);
        assert_eq!(value(&name), 0);
        assert!(open(&name).force_release().unwrap());
    }
    for bytes in [0, SEMAPHORE_BYTES / 2, SEMAPHORE_BYTES - 1] {
        for end in [0, 1, 2] {
            let name = unique_semaphore("cut-semaphore");
            let semaphore = semaphore_of(&name);
            assert_eq!(end_of_a_holder_whose_file_is_cut(&name, &semaphore, bytes, end), 7);
            assert!(open(&name).acquire(LONG).is_err());
            fs::remove_file(semaphore).unwrap();
            drop(open(&name).acquire(LONG).unwrap());
        }
    }
}
