//! Files that are cut, removed and replaced under the hands of one that has them open.

use super::*;

/// A lock of its own, without files. They are removed at the end.
pub(in super::super) struct Files(pub(in super::super) Arc<Paths>);

impl Files {
    pub(in super::super) fn new(test: &str) -> Self {
        Self(Arc::new(Paths::new(&format!("lockattr-unit-{test}-{}", std::process::id()))))
    }

    pub(in super::super) fn open(&self) -> Arc<Objects> {
        Arc::new(Objects::open(&self.0, 0o600, |_| true).unwrap())
    }

    pub(in super::super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(in super::super) fn remove(&self) {
        for path in [&self.0.semaphore, &self.0.page] {
            let _ = fs::remove_file(path);
        }
    }

    pub(in super::super) fn cut_page(&self) {
        cut(&self.0.page);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Objects {
    /// No look is made for as long as nobody doubts it.
    pub(in super::super) fn is_found_whole(&self) {
        self.checked.store(u64::MAX, Ordering::Relaxed);
    }
}

fn cut(path: &Path) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
}

/// Puts another file, of the same bytes, in the place of one that is still open.
fn replace(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// What happens to a file: a test's name for it, and the deed.
type Deed = (&'static str, fn(&Path));

const CUT: Deed = ("cut", |path| cut(path));
const GONE: Deed = ("gone", |path| fs::remove_file(path).unwrap());
const REPLACED: Deed = ("replaced", |path| replace(path));

/// A damage that is not noticed is a SIGBUS, or two holders.
#[test]
fn what_becomes_of_a_file_is_noticed_at_the_first_look_after_10_ms_and_at_each_one_then() {
    for (what, deed) in [CUT, GONE, REPLACED] {
        for is_page in [false, true] {
            let files = Files::new("whole");
            let objects = files.open();
            let opened = objects.checked.load(Ordering::Relaxed);
            // A look that finds all well counts as the opening does.
            assert!(objects.are_whole(opened + CHECKED));
            let looked = opened + CHECKED;
            deed(if is_page { &files.0.page } else { &files.0.semaphore });
            assert!(objects.are_whole(looked + CHECKED - 1), "{what}: no look is made so soon");
            for later in [CHECKED, CHECKED + 1, 2 * CHECKED] {
                assert!(!objects.are_whole(looked + later), "{what} {is_page}: after {later} ns");
            }
        }
    }
}

#[test]
fn a_page_that_is_larger_than_it_must_be_is_whole() {
    let files = Files::new("larger");
    let objects = files.open();
    OpenOptions::new().write(true).open(&files.0.page).unwrap().set_len(9_000).unwrap();
    objects.doubt();
    assert!(objects.are_whole(clock::monotonic()));
}

#[test]
fn one_in_doubt_looks_at_once() {
    let files = Files::new("doubt");
    let objects = files.open();
    let opened = objects.checked.load(Ordering::Relaxed);
    fs::remove_file(&files.0.page).unwrap();
    assert!(objects.are_whole(opened));
    objects.doubt();
    assert!(!objects.are_whole(opened));
}

/// Who finds so, and looks at the clock alone afterwards, would go on with a lock that excludes nobody.
#[test]
fn a_semaphore_that_has_lost_its_name_is_found_so_and_by_the_next_look_as_well() {
    for (what, deed) in [GONE, REPLACED] {
        let files = Files::new("named");
        let objects = files.open();
        let opened = objects.checked.load(Ordering::Relaxed);
        assert!(objects.semaphore_is_named());
        let inode = fs::metadata(&files.0.semaphore).unwrap().ino();
        assert_eq!(objects.semaphore_inode(), inode, "its owner signs for it");
        assert_eq!(objects.checked.load(Ordering::Relaxed), opened, "all is well: no doubt");
        deed(&files.0.semaphore);
        assert!(!objects.semaphore_is_named(), "{what}");
        assert!(!objects.are_whole(opened), "{what}");
    }
}

#[test]
fn the_files_names_are_removed_and_those_of_others_in_their_place_are_not() {
    let files = Files::new("unlink");
    let objects = files.open();
    replace(&files.0.page);
    objects.unlink();
    assert!(!files.0.semaphore.exists());
    assert!(files.0.page.exists(), "it is another lock's");
    let objects = files.open();
    replace(&files.0.semaphore);
    objects.unlink();
    assert!(files.0.semaphore.exists() && !files.0.page.exists());
}

/// What a holder writes to memory that is gone is a SIGBUS; what it does not write is a death in others' eyes.
#[test]
fn a_holder_is_told_what_it_can_write_to() {
    for (what, deed, is_page, left) in [
        ("nothing", None, true, Left::Both),
        ("semaphore", Some(CUT), false, Left::Record),
        ("semaphore", Some(GONE), false, Left::Both),
        ("page", Some(CUT), true, Left::Both),
        ("page", Some(GONE), true, Left::Both),
        ("page", Some(REPLACED), true, Left::Both),
    ] {
        let files = Files::new("left");
        let objects = files.open();
        let opened = objects.checked.load(Ordering::Relaxed);
        let path = if is_page { &files.0.page } else { &files.0.semaphore };
        if let Some((_, deed)) = deed {
            deed(path);
        }
        assert_eq!(objects.left(opened), Left::Both, "no look within one tick");
        assert_eq!(objects.left(opened + 1), left, "{what} {:?}", deed.map(|(name, _)| name));
        if left == Left::Both && path.exists() {
            assert_eq!(fs::metadata(path).unwrap().len(), PAGE_BYTES as u64, "it has its memory");
        }
        if left == Left::Both {
            objects.page.note_waiting(1); // no SIGBUS
        }
    }
}

/// A record that others have made anew meanwhile is not the one that this process has mapped.
#[test]
fn another_file_in_the_place_of_the_record_is_not_mended() {
    let files = Files::new("mend");
    let objects = files.open();
    replace(&files.0.page);
    cut(&files.0.page);
    assert!(!objects.mend_page());
    assert_eq!(fs::metadata(&files.0.page).unwrap().len(), 0);
    assert_eq!(objects.left(clock::monotonic()), Left::Both);
}

/// In a sparse file the first touch of a page is a SIGBUS where memory is full.
#[test]
fn both_files_have_all_their_memory() {
    let files = Files::new("memory");
    fs::File::create(&files.0.semaphore).unwrap().set_len(SEMAPHORE_BYTES as u64).unwrap();
    fs::File::create(&files.0.page).unwrap().set_len(PAGE_BYTES as u64).unwrap();
    files.open();
    for path in [&files.0.semaphore, &files.0.page] {
        assert!(fs::metadata(path).unwrap().blocks() > 0, "{}", path.display());
    }
}

/// Those of programs of resourcelock, which make it and give it its size later.
#[test]
fn a_record_without_a_size_is_waited_for_until_it_has_one() {
    let files = Files::new("sized");
    files.open();
    let file = OpenOptions::new().read(true).write(true).open(&files.0.page).unwrap();
    assert_eq!(enlarge(&file).unwrap(), PAGE_BYTES);
    for (bytes, had) in [(0, PAGE_BYTES), (100, 100), (9_000, PAGE_BYTES)] {
        file.set_len(bytes).unwrap();
        let start = clock::monotonic();
        assert_eq!(enlarge(&file).unwrap(), had, "{bytes}");
        let is_patient = clock::monotonic() - start >= 10_000_000;
        assert!(is_patient || bytes > 0, "one that was about to get its size");
        assert!(file.metadata().unwrap().len() >= PAGE_BYTES as u64);
    }
}
