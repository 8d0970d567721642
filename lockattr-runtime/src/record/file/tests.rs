//! Files that are cut, removed and replaced under the hands of one that has them open, and their names.

use super::*;

/// A record of its own, removed at the end.
struct Own(String);

impl Own {
    const UID: fn() -> u32 = crate::sys::process::effective_uid;

    fn new(test: &str) -> Self {
        Self(format!("unit {test} {}", std::process::id()))
    }

    fn path(&self) -> PathBuf {
        path(&self.0, Self::UID())
    }

    fn open(&self) -> SharedFile {
        SharedFile::open(&self.0, Self::UID()).unwrap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}

/// A damage that is not noticed is a SIGBUS, or a death that nobody is told of.
#[test]
fn what_becomes_of_a_record_is_noticed_at_the_first_look_after_10_ms_and_at_each_one_then() {
    type Deed<'a> = (&'a str, &'a dyn Fn(&Path) -> io::Result<()>);

    let cut = |path: &Path| OpenOptions::new().write(true).open(path)?.set_len(100);
    let replace = |path: &Path| {
        let bytes = fs::read(path)?;
        fs::remove_file(path)?;
        fs::write(path, bytes)
    };
    let deeds: [Deed<'_>; 3] =
        [("cut", &cut), ("gone", &|path| fs::remove_file(path)), ("replaced", &replace)];
    for (what, deed) in deeds {
        let own = Own::new("whole");
        let file = own.open();
        let opened = file.checked.load(Ordering::Relaxed);
        // A look that finds all well counts as the opening does.
        assert!(file.is_whole(opened + CHECKED));
        let looked = opened + CHECKED;
        deed(&own.path()).unwrap();
        assert!(file.is_whole(looked + CHECKED - 1), "{what}: no look is made so soon");
        for later in [CHECKED, CHECKED + 1, 2 * CHECKED] {
            assert!(!file.is_whole(looked + later), "{what}: after {later} ns");
        }
    }
}

#[test]
fn a_record_is_one_users_and_one_file() {
    let own = Own::new("user");
    let file = own.open();
    let uid = Own::UID();
    assert!(file.is_of(uid) && !file.is_of(uid + 1));
    assert_eq!((file.uid(), file.inode()), (uid, fs::metadata(own.path()).unwrap().ino()));
    assert!(open_readable(&own.0, uid).is_ok());
    remove(&own.0, uid);
    assert!(!own.path().exists());
}

/// One that only its user may read tells nobody else who holds; one that others may write is believed by nobody.
#[test]
fn everybody_may_read_a_record_and_nobody_else_write_it_whatever_the_mode_was() {
    let own = Own::new("mode");
    own.open();
    let mode = || fs::metadata(own.path()).unwrap().mode() & 0o777;
    assert_eq!(mode(), MODE);
    fs::set_permissions(own.path(), Permissions::from_mode(0o600)).unwrap();
    own.open();
    assert_eq!(mode(), MODE);
}

#[test]
fn a_folder_that_is_missing_is_an_error() {
    let path = Path::new(FOLDER).join("lockattr-unit-no-folder").join("record");
    assert_eq!(open_or_create(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
}

/// Those of other users are found by it.
#[test]
fn a_files_name_tells_the_user_and_the_lock() {
    let this = path("a bus", 7);
    let name = this.file_name().unwrap();
    assert_eq!(uid_in(name, &encoded("a bus")), Some(7));
    assert_eq!(uid_in(name, &encoded("a.bus")), None);
    assert_eq!(parts(name), Some((7, "a%20bus")));
    let dotted = path("a.b", 7);
    assert_eq!(parts(dotted.file_name().unwrap()), Some((7, "a.b")));
    for other in ["lockattr.7", "lockattr.seven.bus", "lockattr..bus", "sem.7.bus", "7.bus"] {
        assert_eq!(parts(OsStr::new(other)), None, "{other}");
    }
}
