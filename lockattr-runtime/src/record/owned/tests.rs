//! Pages that others have written to, and what is told of them.

use std::cell::Cell;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use proptest::prelude::*;

use super::*;
use crate::holder::{Holder, KnownBy, Tenure};

/// Texts of any bytes; of the form of resourcelock's with any digits; and with any bytes in it.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    const FORM: &[u8] = b"0000-00-00 00:00:00.000000 - ";

    let any_text = proptest::collection::vec(any::<u8>(), 0..PAGE_BYTES);
    let digits = proptest::collection::vec(b'0'..=b'9', FORM.len());
    let damage = proptest::collection::vec((0..FORM.len(), any::<u8>()), 0..3);
    let stamped = (digits, damage, any_text.clone()).prop_map(|(digits, damage, rest)| {
        let mut text: Vec<u8> = std::iter::zip(FORM, digits)
            .map(|(form, digit)| if *form == b'0' { digit } else { *form })
            .collect();
        for (at, byte) in damage {
            text[at] = byte;
        }
        text.extend(rest);
        text
    });
    prop_oneof![any_text, stamped]
}

fn copy_of(text: &[u8]) -> OwnedCopy {
    let mut copy = OwnedCopy::empty();
    let length = text.len().min(PAGE_BYTES);
    copy.page[..length].copy_from_slice(&text[..length]);
    copy
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_foreign_text_of_any_bytes_is_read_without_harm(text in texts()) {
        let copy = copy_of(&text);
        let (since, info) = copy.foreign_text();
        if let Some(since) = since {
            prop_assert!(since >= SystemTime::UNIX_EPOCH);
            let _ = since.elapsed();
        }
        let holder = Holder { info, since, ..Holder::unknown(Tenure::Holds, KnownBy::Text) };
        let shown = holder.to_string();
        prop_assert!(!shown.contains(char::is_control), "{:?}", shown);
        let _ = (copy.is_record(), copy.owner(), copy.recorded(copy.owner()), copy.text_is_an_owners());
    }
}

#[test]
fn a_date_that_no_clock_shows_is_none() {
    for date in
        ["9999-12-31 23:59:59.999999", "2554-07-19 23:34:33.709551", "2600-01-01 00:00:00.000000"]
    {
        let (since, info) = copy_of(format!("{date} - x").as_bytes()).foreign_text();
        assert_eq!(info.as_deref(), Some("x"), "{date}");
        let is_representable = date.starts_with("2554");
        assert_eq!(since.is_some(), is_representable, "{date}");
    }
}

/// A page with an owner word that nobody can have written, and bytes of another program.
fn page_of_others() -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[0x5a; PAGE_BYTES]).unwrap();
    file
}

fn grant(page: &OwnedPage) -> Process {
    let this = *Process::this();
    let owner = Owner::of(&this.identity).that(Phase::Holds);
    assert!(page.swap_owner(page.owner(), owner));
    page.write_grant("bus", 1, Info::Text("x"), crate::sys::thread::current());
    this
}

#[test]
fn a_grant_made_while_another_opens_the_page_stays() {
    let file = page_of_others();
    // One is asked about the word of what it has seen to be no record, and takes its time.
    let is_asked = Cell::new(false);
    let late = OwnedPage::map(&file, |_| {
        if !is_asked.replace(true) {
            let early = OwnedPage::map(&file, |_| false).unwrap();
            assert_eq!(early.last_grant().pid(), 0, "what was there is no grant");
            grant(&early);
        }
        false
    });
    let (late, this) = (late.unwrap(), Process::this());
    assert_eq!(late.owner().pid(), this.identity.pid);
    assert_eq!(late.last_grant().pid(), this.identity.pid, "its death would go untold");
    assert!(late.recorded(late.owner()).is_some());
}

#[test]
fn who_finds_a_text_over_the_records_first_words_leaves_the_grant_of_a_live_process() {
    let file = page_of_others();
    let holder = OwnedPage::map(&file, |_| false).unwrap();
    let this = grant(&holder);
    // As long as that only the magic is gone.
    file.write_all_at(&[b'x'; TEXT_WORDS * 8 + 8], 0).unwrap();
    let other =
        OwnedPage::map(&file, |owner| owner.process() == Owner::of(&this.identity)).unwrap();
    assert_eq!(other.owner().pid(), this.identity.pid);
    assert_eq!(other.last_grant().pid(), this.identity.pid);
    // Of a process that cannot live, nothing is kept.
    file.write_all_at(&[b'x'; TEXT_WORDS * 8 + 8], 0).unwrap();
    let other = OwnedPage::map(&file, |_| false).unwrap();
    assert!(other.owner().is_nobody());
    assert_eq!(other.last_grant().pid(), 0);
}

/// A page that nobody has used, and its file.
fn new_page() -> (File, OwnedPage) {
    let file = tempfile::tempfile().unwrap();
    file.set_len(PAGE_BYTES as u64).unwrap();
    let page = OwnedPage::map(&file, |_| false).unwrap();
    (file, page)
}

fn me() -> Owner {
    Owner::of(&Process::this().identity).that(Phase::Holds)
}

/// Some program writes its own text, as resourcelock does.
fn write_over(file: &File) {
    file.write_all_at(b"2024-10-20 16:00:51.864484 - theirs\0", 0).unwrap();
}

#[test]
fn what_others_wrote_is_made_a_record_that_looks_at_it_find_too() {
    for file in [page_of_others(), new_page().0] {
        let page = OwnedPage::map(&file, |_| false).unwrap();
        assert!(page.is_record() && page.owner().is_nobody() && page.waiting() == 0);
        let copy = OwnedCopy::read(&file).unwrap();
        assert!(copy.is_record() && copy.owner().is_nobody());
        for field in [Field::Magic, Field::Version] {
            page.put(field, page.get(field) + 1);
            assert!(!page.is_record() && !OwnedCopy::read(&file).unwrap().is_record(), "{field:?}");
            page.put(field, page.get(field) - 1);
        }
    }
}

/// By it a lock is inherited from one that died, and not from beside a foreign program.
#[test]
fn a_text_is_an_owners_until_another_program_writes_and_from_a_mark_on() {
    let (file, page) = new_page();
    let told = || {
        let copy = OwnedCopy::read(&file).unwrap();
        assert_eq!(copy.text_is_an_owners(), page.text_is_an_owners());
        page.text_is_an_owners()
    };
    grant(&page);
    assert!(told());
    write_over(&file);
    assert!(!told());
    page.mark_text();
    assert!(told());
}

/// It decides whether a unit beside a live owner is dropped as a surplus.
#[test]
fn an_owner_has_signed_for_its_semaphore_and_for_no_other_until_it_takes_that_back() {
    let (_, page) = new_page();
    let (owner, other) = (me(), me().in_turn(3));
    assert!(!page.has_signed(owner, 8));
    page.sign(owner, 8);
    let signed = [(owner, 8), (owner, 9), (other, 8), (owner, 0)]
        .map(|(owner, inode)| page.has_signed(owner, inode));
    assert_eq!(signed, [true, false, false, false]);
    page.unsign();
    assert!(!page.has_signed(owner, 8));
    assert_ne!(signature(owner, 8), signature(owner, 8 + (1 << 32)));
    for bit in 0..64 {
        assert_ne!(signature(owner, 8), signature(Owner(owner.0 ^ 1 << bit), 8), "{bit}");
    }
}

#[test]
fn a_text_is_changed_over_an_owners_and_not_over_another_programs() {
    let (file, page) = new_page();
    grant(&page);
    let info = || snapshot(&file, "bus").unwrap().last_holder().info;
    assert!(page.write_info(Info::Text("y")));
    assert_eq!(info().as_deref(), Some("y"));
    write_over(&file);
    assert!(!page.write_info(Info::Text("z")));
    assert_eq!(info(), None);
    let foreign = OwnedCopy::read(&file).unwrap().foreign_text().1;
    assert_eq!(foreign.as_deref(), Some("theirs"));
}

/// A program with less of the page mapped reads on past what it has, where the text has no end there.
#[test]
fn a_text_ends_within_what_others_have_mapped_if_a_time_fits_there() {
    let (file, page) = new_page();
    let length = |page: &OwnedPage| {
        let text = "x".repeat(500);
        page.write_grant("bus", 1, Info::Text(&text), crate::sys::thread::current());
        let copy = OwnedCopy::read(&file).unwrap();
        copy.page.iter().position(|byte| *byte == 0).unwrap()
    };
    for limit in [0, 1, text::STAMP_BYTES] {
        page.limit_text(limit);
        assert_eq!(length(&page), 500 + text::STAMP_BYTES, "{limit}");
    }
    page.limit_text(100);
    assert_eq!(length(&page), 99);
}

/// Nothing else tells a program from the one before it where addresses are not random.
#[test]
fn a_word_is_left_by_the_program_before_if_the_record_beside_it_is_that_ones() {
    let (_, page) = new_page();
    let this = grant(&page);
    let before = Process { random: this.random + 1, ..this };
    assert_eq!(page.left_before_exec(&this), None);
    assert_eq!(page.left_before_exec(&before), Some(page.owner()));
    // A word of another program, or one that says nothing.
    for other in [Owner::NOBODY, Owner(me().0 + 1), Owner::of(&this.identity)] {
        assert!(page.swap_owner(page.owner(), other));
        assert_eq!(page.left_before_exec(&before), None, "{other:?}");
    }
    // No record of its own beside it.
    assert!(page.swap_owner(page.owner(), me()));
    page.put(Field::Writer, 0);
    assert_eq!(page.left_before_exec(&before), None);
}

/// The kernel makes the list of a process's mappings anew each time.
#[test]
fn whether_a_process_has_the_page_mapped_still_is_looked_at_now_and_then() {
    let (file, page) = new_page();
    let copy = OwnedCopy::read(&file).unwrap();
    let this = std::process::id();
    // Only where addresses are not random.
    let mut other = std::process::Command::new("setarch");
    let other = other.args(["-R", "cat"]).stdin(std::process::Stdio::piped()).spawn();
    let Ok(mut other) = other else { return println!("skipped: there is no setarch") };
    // Not before it has executed its program: until then it has all mapped that this one has.
    while !copy.was_left_by_exec(other.id()) {
        if other.try_wait().unwrap().is_some() {
            return println!("skipped: setarch may not do that here");
        }
        std::thread::yield_now();
    }
    assert!(!copy.was_left_by_exec(this));
    assert!(!page.was_left_by_exec(this));
    page.looked.store(u64::MAX, Ordering::Relaxed);
    assert!(!page.was_left_by_exec(other.id()), "a look was made a moment ago");
    page.looked.store(1, Ordering::Relaxed);
    let before = clock::monotonic();
    assert!(page.was_left_by_exec(other.id()));
    assert!(page.looked.load(Ordering::Relaxed) >= before);
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn each_end_of_a_hold_is_told_from_the_others() {
    type End = fn(&OwnedPage);
    let ends: [(End, Tenure, bool); 4] = [
        (|_| (), Tenure::Holds, false),
        (|page| page.write_release(9), Tenure::Released, true),
        (OwnedPage::write_abandonment, Tenure::Abandoned, false),
        (OwnedPage::write_detachment, Tenure::Detached, true),
    ];
    for (end, tenure, is_in_order) in ends {
        let (file, page) = new_page();
        assert!(page.is_in_order() && snapshot(&file, "bus").is_none());
        grant(&page);
        end(&page);
        let last = snapshot(&file, "bus").unwrap();
        assert_eq!((last.last_holder().tenure, page.is_in_order()), (tenure, is_in_order));
        assert!(snapshot(&file, "another").is_none(), "it is of one lock");
    }
}

#[test]
fn a_look_knows_the_process_of_a_word_by_a_whole_record_of_it() {
    let (file, page) = new_page();
    let this = grant(&page);
    let recorded = |owner| OwnedCopy::read(&file).unwrap().recorded(owner);
    let found = recorded(me()).unwrap();
    assert_eq!((found.identity, found.random), (this.identity, this.random));
    assert!(recorded(Owner(me().0 + 1)).is_none());
    page.put(Field::Sequence, page.get(Field::Sequence) | 1);
    assert!(recorded(me()).is_none(), "another one is writing its own");
    page.put(Field::Pid, 0);
    assert!(snapshot(&file, "bus").is_none());
}

#[test]
fn a_text_with_a_time_is_told_from_any_other() {
    let (file, _) = new_page();
    let has_time = || OwnedCopy::read(&file).unwrap().text_has_time();
    assert!(!has_time());
    write_over(&file);
    assert!(has_time());
}

#[test]
fn what_cannot_be_read_is_an_error() {
    assert!(OwnedCopy::read(&File::open("/").unwrap()).is_err());
}
