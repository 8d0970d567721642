//! What a page tells after each thing that is written to it.

use super::*;

fn granted() -> Page {
    let page = Page::private();
    page.write_grant("bus", Network::from_word(7), 5, Info::Text("here"));
    page
}

#[test]
fn each_end_of_a_grant_is_told_from_the_others() {
    type End = fn(&Page);
    let ends: [(&str, End, [bool; 4]); 4] = [
        // Whether it was given back, is kept, is in order, and stands.
        ("none", |_| (), [false, false, false, true]),
        ("release", Page::write_release, [true, false, true, false]),
        ("abandonment", Page::write_abandonment, [false, false, false, false]),
        ("left to a descriptor", Page::write_kept, [false, true, true, false]),
    ];
    for (name, end, told) in ends {
        let page = granted();
        end(&page);
        let grant = page.last_grant();
        let found =
            [page.was_given_back(), grant.is_kept(), grant.is_in_order(), page.last_grant_stands()];
        assert_eq!(found, told, "{name}");
        assert_eq!(grant.pid(), std::process::id(), "{name}");
        assert_eq!(grant.released_at().is_some(), told[2], "{name}");
        assert!(grant.network().is(Network::from_word(7)), "{name}");
    }
    let none = Page::private();
    assert!(none.last_grant().is_in_order() && !none.was_given_back());
    assert!(!none.last_grant_stands());
}

/// What stands there has another meaning in another version, and none where no record is.
#[test]
fn a_page_of_another_version_tells_of_no_grant() {
    for field in [Field::Magic, Field::Version] {
        let page = granted();
        field.of(page.words()).fetch_add(1, Ordering::Relaxed);
        assert_eq!(page.last_grant().pid(), 0, "{field:?}");
        assert!(!page.last_grant_stands(), "{field:?}");
    }
}

#[test]
fn a_grant_of_a_process_that_cannot_be_seen_to_run_does_not_stand() {
    let this = Process::this().identity;
    for (field, word) in [
        (Field::Pid, 0),
        (Field::StartTime, this.start_time + 1),
        (Field::PidNamespace, this.pid_namespace + 1),
    ] {
        let page = granted();
        field.of(page.words()).store(word, Ordering::Relaxed);
        assert!(!page.last_grant_stands(), "{field:?}");
    }
}

#[test]
fn a_lock_is_on_its_way_from_when_it_is_sent_to_somebody_until_the_next_grant() {
    let page = granted();
    assert!(!page.was_handed());
    page.write_handed("bus", Some(8));
    assert!(page.was_handed());
    page.write_handed("bus", None);
    assert!(!page.was_handed());
    page.write_handed("bus", Some(8));
    page.write_grant("bus", Network::from_word(7), 6, Info::Text("here"));
    assert!(!page.was_handed());
}

/// It says so: a holder would take its text for one that others see.
#[test]
fn a_text_is_changed_where_others_can_see_it_and_nowhere_else() {
    assert!(!granted().write_info(Info::Text("there")));
    let name = format!("unit text {}", std::process::id());
    let record = Record::new(&name);
    let page = record.page();
    page.write_grant(&name, Network::from_word(7), 5, Info::Text("here"));
    assert!(page.write_info(Info::Text("there")));
    let uid = effective_uid();
    assert_eq!(page.uid(), Some(uid));
    let holder = read(&name, uid).unwrap().last_holder();
    assert_eq!(holder.info.as_deref(), Some("there"));
    file::remove(&name, uid);
    assert!(read(&name, uid).is_none());
}

/// A hold of this process that nobody else can be told of.
#[test]
fn where_no_file_can_be_had_this_process_knows_its_own_grant() {
    let name = format!("unit-folder-{}", std::process::id());
    let path = format!("{}/lockattr.{}.{name}", file::FOLDER, effective_uid());
    std::fs::create_dir(&path).unwrap();
    let record = Record::new(&name);
    assert!(record.private_last_grant().is_none(), "nothing was asked for yet");
    let page = record.page();
    page.write_grant(&name, Network::from_word(7), 5, Info::Text("here"));
    assert_eq!(page.uid(), None);
    let grant = record.private_last_grant().unwrap();
    assert!(grant.pid() == std::process::id() && !grant.is_in_order());
    std::fs::remove_dir(&path).unwrap();
}

/// Of one that was killed while it wrote, the numbers may be two processes'. Only who has let go counts there.
#[test]
fn a_record_that_is_not_whole_or_tells_of_no_grant_is_read_by_who_asks_for_any() {
    let name = format!("unit torn {}", std::process::id());
    let uid = effective_uid();
    let page = Record::new(&name).page();
    let is_read = || (read(&name, uid).is_some(), read_any(&name, uid).is_some());
    assert_eq!(is_read(), (false, false));
    page.write_handed(&name, None);
    assert_eq!(is_read(), (false, true), "nobody was granted anything");
    page.write_grant(&name, Network::from_word(7), 5, Info::Text("here"));
    assert_eq!(is_read(), (true, true));
    Field::Sequence.of(page.words()).fetch_or(1, Ordering::Relaxed);
    assert_eq!(is_read(), (false, true), "it is being written");
    file::remove(&name, uid);
}

/// Another user's record needs root; the rest is tested for every user.
#[test]
fn all_records_are_found_with_the_latest_grant_of_each_lock() {
    const OTHER: u32 = 65_534;

    let (this, is_root) = (effective_uid(), nix::unistd::geteuid().is_root());
    let name = |what: &str| format!("unit all/{what} {}", std::process::id());
    let path = |name: &str, uid| format!("{}/lockattr.{uid}.{}", file::FOLDER, file::encoded(name));
    let granted = |name: &str, at| {
        Record::new(name).page().write_grant(name, Network::from_word(7), at, Info::Text("here"));
    };
    granted(&name("own"), 5);
    Record::new(&name("let go")).page().write_handed(&name("let go"), None);
    std::fs::copy(path(&name("own"), this), path(&name("copy"), this)).unwrap();
    // In whatever order the folder is read.
    let of_two = [("early", 4), ("late", 6)].map(|(what, others)| {
        let name = name(what);
        if is_root {
            granted(&name, others);
            let other = path(&name, OTHER);
            std::fs::rename(path(&name, this), &other).unwrap();
            std::os::unix::fs::chown(&other, Some(OTHER), None).unwrap();
            granted(&name, 5);
        }
        (name, if others > 5 { OTHER } else { this })
    });
    let found = remembered().unwrap();
    let latest = |name: &str| found.get(name).map(|it| (it.uid, it.word(Field::GrantedMonotonic)));
    assert_eq!(latest(&name("own")), Some((this, 5)));
    assert_eq!(latest(&name("let go")), None, "nobody was granted it");
    assert_eq!(latest(&name("copy")), None, "it is another lock's");
    for (name, uid) in &of_two {
        let at = if *uid == this { 5 } else { 6 };
        assert!(!is_root || latest(name) == Some((*uid, at)), "{name}");
    }
    for name in [name("own"), name("let go"), name("copy"), name("early"), name("late")] {
        for uid in [this, OTHER] {
            file::remove(&name, uid);
        }
    }
}
