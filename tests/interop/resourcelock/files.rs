//! The files that both use.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::super::support::{is_timeout, Actor, LONG};
use super::{behind_time, Name, SHORT};

#[test]
fn a_segment_of_another_size_keeps_it_and_texts_end_within() {
    const INFO: &str = "a text of more bytes than the sixty-four of a small segment can hold";
    for (size, enlarged, room) in [("64", 4096, 63), ("8192", 8192, 29 + INFO.len())] {
        let name = Name::new("size");
        let Some(mut python) = name.python_with(&[size]) else { return };
        let inodes = name.inodes();
        let guard = name.lock().with().timeout(LONG).info(INFO).acquire().unwrap();
        assert_eq!(name.inodes(), inodes);
        assert_eq!(fs::metadata(name.page_file()).unwrap().len(), enlarged);

        // One that has mapped what was there before, and one that comes now.
        for python in [&mut python, &mut name.python().unwrap()] {
            let text = python.ask("lock.get_lock_info()");
            assert_eq!(text.len(), room, "{text}");
            assert!(INFO.starts_with(behind_time(&text)), "{text}");
            assert_eq!(python.ask("lock.get_lock(0.1)"), "False");
        }
        drop(guard);
        assert_eq!(python.ask("lock.get_lock(0.1, lock_info='in a segment')"), "True");
        name.assert_held_by_text("in a segment");
        assert_eq!(python.ask("lock.unget_lock()"), "True");
        name.assert_in_order(&mut python);
    }
}

#[test]
fn a_text_that_covers_the_record_does_no_harm() {
    let name = Name::new("cover");
    let Some(mut python) = name.python() else { return };
    let guard = name.lock().acquire(LONG).unwrap();
    // The segment is there for texts of any kind, whoever holds.
    assert_eq!(python.ask("lock.set_lock_info('x' * 4095)"), "None");
    let mut other = Actor::start("try", &name.0);
    assert_ne!(other.hear(), "acquired");
    other.end();
    assert_eq!(python.ask("lock.get_lock(0.1)"), "False");
    assert!(name.lock().is_locked().unwrap());
    drop(guard);
    name.assert_in_order(&mut python);

    assert_eq!(python.ask("lock.get_lock(1, lock_info='x' * 4000)"), "True");
    assert!(is_timeout(&name.lock().acquire(SHORT)));
    // Its end may be a record by now.
    assert_eq!(python.ask("'x' * 3500 in lock.get_lock_info()"), "True");
    assert_eq!(python.ask("lock.unget_lock()"), "True");
    name.assert_in_order(&mut python);
}

#[test]
fn each_uses_what_the_other_has_made() {
    for rust_comes_first in [false, true] {
        let name = Name::new("made");
        if rust_comes_first {
            drop(name.lock().try_acquire().unwrap());
        } else if name.python().is_none() {
            return;
        }
        let inodes = name.inodes();
        let Some(mut python) = name.python() else { return };
        if rust_comes_first {
            let text = python.ask("lock.get_lock_info()");
            assert!(behind_time(&text).contains(concat!(" (", file!(), ":")), "{text}");
        }
        name.assert_in_order(&mut python);
        assert_eq!(name.inodes(), inodes);
        for file in [name.semaphore_file(), name.page_file()] {
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600, "{}", file.display());
        }
    }
}
