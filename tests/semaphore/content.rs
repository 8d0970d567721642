//! Whatever may be found in the place of the files, and in them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use lockattr::LockError;

use super::support::{open, remove_semaphore, unique_semaphore, LONG};
use super::{record_of, semaphore_of, value};

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
}
