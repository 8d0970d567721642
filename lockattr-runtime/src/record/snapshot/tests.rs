//! What is believed of a record.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

/// A page that is this process's record, with some words changed.
fn record_with(words: &[(Field, u64)]) -> File {
    let this = Process::this().identity;
    let mut page = [0; PAGE_BYTES];
    let record = [
        (Field::Magic, MAGIC),
        (Field::Version, VERSION),
        (Field::Sequence, 8),
        (Field::Pid, this.pid.into()),
        (Field::PidNamespace, this.pid_namespace),
        (Field::StartTime, this.start_time),
        (Field::TimeNamespace, this.time_namespace),
        (Field::Image, this.image),
        (Field::GrantedMonotonic, 5),
    ];
    for &(field, word) in record.iter().chain(words) {
        page[field as usize * 8..][..8].copy_from_slice(&word.to_ne_bytes());
    }
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&page).unwrap();
    file
}

fn snapshot_with(words: &[(Field, u64)]) -> Snapshot {
    Snapshot::take(&record_with(words), 7).expect("a record")
}

#[test]
fn a_record_of_another_version_or_one_that_is_being_written_is_none() {
    assert!(Snapshot::take(&record_with(&[]), 7).is_some());
    for word in [
        (Field::Magic, MAGIC + 1),
        (Field::Version, VERSION - 1),
        (Field::Version, VERSION + 1),
        (Field::Sequence, 9),
    ] {
        assert!(Snapshot::take(&record_with(&[word]), 7).is_none(), "{word:?}");
    }
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))] // elsewhere a process is known by its pid alone
fn a_pid_of_another_namespace_is_none_here() {
    let pid = std::process::id();
    let here = snapshot_with(&[]);
    assert_eq!((here.pid(), here.state_of(pid)), (Some(pid), PeerState::Holds));
    assert_eq!(here.state_of(pid + 1), PeerState::Unknown);
    let elsewhere = Process::this().identity.pid_namespace + 1;
    let other = snapshot_with(&[(Field::PidNamespace, elsewhere)]);
    assert_eq!((other.pid(), other.state_of(pid)), (None, PeerState::Unknown));
    let handed = |namespace| {
        let words =
            [(Field::Handed, u64::from(pid) << 32 | 8), (Field::HandedNamespace, namespace)];
        snapshot_with(&words).state_of(pid)
    };
    assert_eq!(handed(elsewhere - 1), PeerState::LetGo(Some(8)));
    assert_eq!(handed(elsewhere), PeerState::Holds);
    assert_eq!(handed(0), PeerState::Holds);
}

/// A waiter that takes the lock up too late passes it on without a grant, and the record is of the one before.
#[test]
#[cfg(any(target_os = "linux", target_os = "android"))] // elsewhere a process is known by its pid alone
fn who_let_go_has_it_again_only_if_it_was_sent_back() {
    let this = &Process::this().identity;
    let pid = std::process::id();
    let passed_on = |to: u32| {
        let words = [
            (Field::ReleasedMonotonic, 9),
            (Field::Handed, u64::from(pid + 1) << 32 | u64::from(to)),
            (Field::HandedNamespace, this.pid_namespace),
        ];
        snapshot_with(&words).state_of(pid)
    };
    assert_eq!(passed_on(pid + 2), PeerState::LetGo(Some(pid + 2)));
    assert_eq!(passed_on(0), PeerState::LetGo(None));
    assert_eq!(passed_on(pid), PeerState::Unknown, "it has yet to write its own grant");
}

/// What a grant's end is called while it may stand, once it is known not to, and whether it is one of those that
/// were given back.
#[test]
#[cfg(any(target_os = "linux", target_os = "android"))] // elsewhere a process is known by its pid alone
fn each_end_of_a_grant_is_told_from_the_others() {
    let this = Process::this().identity;
    let none = Field::Thread;
    for (word, tenure, once_ended, has_ended) in [
        ((none, 0), Tenure::Holds, Tenure::Died, false),
        ((Field::ReleasedMonotonic, 9), Tenure::Released, Tenure::Released, true),
        ((Field::ReleasedMonotonic, ABANDONED), Tenure::Abandoned, Tenure::Abandoned, true),
        ((Field::ReleasedMonotonic, DETACHED), Tenure::Detached, Tenure::Released, true),
        ((Field::ReleasedMonotonic, KEPT), Tenure::Kept, Tenure::Released, false),
        ((Field::StartTime, this.start_time + 1), Tenure::Died, Tenure::Died, false),
        ((Field::Image, this.image + 1), Tenure::Died, Tenure::Died, false),
    ] {
        let snapshot = snapshot_with(&[word]);
        assert_eq!(snapshot.last_holder().tenure, tenure, "{word:?}");
        assert_eq!(snapshot.ended_holder().tenure, once_ended, "{word:?}");
        assert_eq!(snapshot.has_ended(), has_ended, "{word:?}");
        assert_eq!(snapshot.detached_holder().is_some(), tenure == Tenure::Detached, "{word:?}");
    }
    let released = snapshot_with(&[(Field::ReleasedMonotonic, 9)]).last_holder();
    assert_eq!(released.held_for, Some(Duration::from_nanos(4)));
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))] // elsewhere a process is known by its pid alone
fn a_later_grant_is_later_by_one_clock_only() {
    let now = Process::this().identity.time_namespace;
    let (earlier, later) = (snapshot_with(&[]), snapshot_with(&[(Field::GrantedMonotonic, 6)]));
    assert!(later.is_later_than(&earlier));
    assert!(!earlier.is_later_than(&later) && !earlier.is_later_than(&earlier));
    for clock in [0, now + 1] {
        let of_another =
            snapshot_with(&[(Field::GrantedMonotonic, 6), (Field::TimeNamespace, clock)]);
        assert!(!of_another.is_later_than(&earlier), "{clock}");
    }
}

/// Its process may have executed another program since.
#[test]
#[cfg(any(target_os = "linux", target_os = "android"))] // elsewhere a process is known by its pid alone
fn a_lock_that_was_left_to_a_descriptor_may_be_held_while_the_process_runs_whatever_it_executes() {
    let this = Process::this().identity;
    let kept = (Field::ReleasedMonotonic, KEPT);
    for (words, may_be_kept) in [
        (&[][..], false),
        (&[kept], true),
        (&[kept, (Field::Image, this.image + 1)], true),
        (&[kept, (Field::StartTime, this.start_time + 1)], false),
        (&[(Field::ReleasedMonotonic, 9)], false),
    ] {
        assert_eq!(snapshot_with(words).may_be_kept(), may_be_kept, "{words:?}");
    }
    let tenure = |words| snapshot_with(words).present_holder(KnownBy::Kernel).tenure;
    assert_eq!([tenure(&[]), tenure(&[kept])], [Tenure::Holds, Tenure::Kept]);
}

/// A holder that nobody here could see otherwise, and one that has died there excludes nobody.
#[test]
#[cfg(any(target_os = "linux", target_os = "android"))] // elsewhere a process is known by its pid alone
fn a_grant_in_another_network_namespace_stands_while_its_process_or_its_socket_does() {
    let (here, there) = (Network::from_word(7), 8);
    let this = Process::this().identity;
    let kept = (Field::ReleasedMonotonic, KEPT);
    let ended = (Field::ReleasedMonotonic, 9);
    for (words, is_bound, stands) in [
        (&[(Field::Network, there)][..], false, true),
        (&[(Field::Network, 7)], true, false),
        (&[(Field::Network, 0)], true, false),
        (&[(Field::Network, there), ended], true, false),
        (&[(Field::Network, there), kept], true, true),
        (&[(Field::Network, there), kept], false, false),
        (&[(Field::Network, there), (Field::StartTime, this.start_time + 1)], true, false),
        (&[(Field::Network, there), (Field::PidNamespace, this.pid_namespace + 1)], true, false),
    ] {
        let snapshot = snapshot_with(words);
        let found = snapshot.holder_elsewhere(here, |pid| is_bound && pid == this.pid);
        assert_eq!(found.is_some(), stands, "{words:?} {is_bound}");
    }
    // Where it is known not to stand in one namespace, it may in another.
    let past = |network| snapshot_with(&[(Field::Network, network)]).past_holder(here).tenure;
    assert_eq!([past(7), past(there)], [Tenure::Died, Tenure::Holds]);
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))] // elsewhere a process is known by its pid alone
fn a_holder_is_shown_as_it_was_written_down() {
    let name = u64::from_ne_bytes(*b"probe\0xy");
    let holder = snapshot_with(&[(Field::Command, name), (Field::Thread, 6)]).last_holder();
    assert_eq!(holder.command.as_deref(), Some("probe"));
    assert_eq!((holder.thread, holder.uid, holder.info), (Some(6), Some(7), None));
    assert_eq!(holder.grants.map(NonZeroU64::get), Some(4));
    assert_eq!(snapshot_with(&[]).last_holder().command, None);
    let this = Owner::of(&Process::this().identity);
    let written = snapshot_with(&[(Field::Writer, this.0)]);
    assert!(written.is_about(this.in_turn(3)) && !snapshot_with(&[]).is_about(this));
}

/// A page of any bytes that passes for a record as far as its frame goes.
fn pages() -> impl Strategy<Value = Vec<u8>> {
    let words = prop_oneof![Just(0), Just(u64::MAX), 1..1000_u64, any::<u64>()];
    (
        proptest::collection::vec(any::<u8>(), PAGE_BYTES),
        proptest::collection::vec(words, Field::Command as usize - Field::Pid as usize),
    )
        .prop_map(|(mut page, words)| {
            let frame = [(Field::Magic, MAGIC), (Field::Version, VERSION), (Field::Sequence, 8)];
            let fields = (Field::Pid as usize..).zip(words);
            for (index, word) in
                frame.map(|(field, word)| (field as usize, word)).into_iter().chain(fields)
            {
                page[index * 8..][..8].copy_from_slice(&word.to_ne_bytes());
            }
            // Half of the texts are the holder's own, and half of those begin with a time.
            if page[TEXT_BYTES - 1] % 2 == 0 {
                if page[TEXT_BYTES - 2] % 2 == 0 {
                    page[..29].copy_from_slice(b"2024-10-20 16:00:51.864484 - ");
                }
                let words = page[..TEXT_BYTES].chunks_exact(8);
                let digest =
                    text::digest(words.map(|word| u64::from_ne_bytes(word.try_into().unwrap())));
                page[Field::TextDigest as usize * 8..][..8].copy_from_slice(&digest.to_ne_bytes());
            }
            page
        })
}

proptest! {
    #[test]
    fn a_record_of_any_bytes_is_read_without_harm(page in pages()) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&page).unwrap();
        if let Some(snapshot) = Snapshot::take(&file, 7) {
            let holder = snapshot.last_holder();
            prop_assert_eq!(holder.uid, Some(7));
            let shown = holder.to_string();
            prop_assert!(!shown.contains(char::is_control), "{:?}", shown);
            let _ = snapshot.name();
        }
    }

    #[test]
    #[cfg(unix)] // elsewhere it is not known where a pid means something
    fn who_has_let_go_is_told_also_by_a_record_whose_writer_was_killed(mut page in pages()) {
        let mut put = |field: Field, word: u64| {
            page[field as usize * 8..][..8].copy_from_slice(&word.to_ne_bytes());
        };
        put(Field::Sequence, 9);
        put(Field::Handed, 7 << 32 | 8);
        put(Field::HandedNamespace, Process::this().identity.pid_namespace);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&page).unwrap();
        prop_assert!(Snapshot::take(&file, 7).is_none());
        let torn = Snapshot::take_any(&file, 7).unwrap();
        prop_assert_eq!(torn.state_of(7), PeerState::LetGo(Some(8)));
        prop_assert_eq!(torn.state_of(8), PeerState::Unknown);
        // It is about to become the grant of another than who has gone, or of that very one.
        prop_assert_eq!(torn.grant_of_another_than(8), Some(9));
        prop_assert_eq!(torn.grant_of_another_than(7), None);
    }

    #[test]
    fn a_file_that_is_no_record_is_no_record(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        prop_assert!(Snapshot::take(&file, 7).is_none());
    }
}
