//! An acquire, step by step, beside owners that this test makes up.

use super::super::objects::tests::Files;
use super::*;
use crate::record::owner::Phase;
use crate::sys::process::{Identity, Process};

const LONG: Duration = Duration::from_secs(600);

/// A lock, and what is beside an attempt at it.
struct Scene {
    lock: Semaphore,
    objects: Arc<Objects>,
    me: Owner,
    files: Files,
}

impl Scene {
    fn new(test: &str) -> Self {
        let files = Files::new(test);
        let lock = Semaphore::new(files.name(), 0o600);
        let (objects, me) = lock.begin(Deadline::after(LONG)).map_err(|_| "opens").unwrap();
        Self { lock, objects, me, files }
    }

    fn attempt(&self, timeout: Duration) -> Attempt<'_> {
        let objects = Arc::clone(&self.objects);
        Attempt::new(&self.lock, objects, self.me, Deadline::after(timeout))
    }

    /// One that has waited for the moment before its first look.
    fn late_attempt(&self) -> Attempt<'_> {
        Attempt { has_waited: true, ..self.attempt(LONG) }
    }

    /// Another acquisition of this process, which lives.
    fn other(&self) -> Owner {
        self.me.in_turn(200)
    }

    /// One that had this process's pid before it.
    fn dead() -> Owner {
        let this = Process::this().identity;
        Owner::of(&Identity { start_time: this.start_time + 1, ..this }).that(Phase::Holds)
    }

    /// The unit is taken, and `owner` says that it is the one.
    fn is_owned_by(&self, owner: Owner) {
        self.is_taken_in_silence();
        assert!(self.objects.page.swap_owner(Owner::NOBODY, owner));
        self.objects.page.sign(owner, self.objects.semaphore_inode());
    }

    fn is_taken_in_silence(&self) {
        assert!(self.objects.semaphore.try_wait());
        self.objects.page.mark_text();
    }

    fn owner(&self) -> Owner {
        self.objects.page.owner()
    }
}

/// Until when the step wants to wait.
#[track_caller]
fn wait(next: &Result<Next, Box<Failure>>) -> u64 {
    match next {
        Ok(Next::Wait(until)) => *until,
        Ok(Next::Acquired) => panic!("acquired"),
        Ok(Next::Refused(look)) => panic!("refused: {look:?}"),
        Ok(Next::Queue(_) | Next::Rest(_)) => panic!("queues or rests"),
        Err(failure) => panic!("{failure:?}"),
    }
}

#[track_caller]
fn rest(next: &Result<Next, Box<Failure>>) -> u64 {
    let Ok(Next::Rest(until)) = next else { panic!("does not rest") };
    *until
}

fn acquires(next: &Result<Next, Box<Failure>>) -> bool {
    matches!(next, Ok(Next::Acquired))
}

#[track_caller]
fn refused(next: &Result<Next, Box<Failure>>) -> Look {
    let Ok(Next::Refused(look)) = next else { panic!("not refused") };
    *look
}

/// Asserts that a pause which was asked for `since` then ends in `length` from when it was asked for.
#[track_caller]
fn assert_is(until: u64, length: u64, since: u64) {
    let length = since + length..=clock::monotonic() + length;
    assert!(length.contains(&until), "{until} is not in {length:?}");
}

fn sleep_until(until: u64) {
    while clock::monotonic() < until {
        thread::sleep(Duration::from_nanos(until.saturating_sub(clock::monotonic())));
    }
}

#[test]
fn what_is_free_is_acquired() {
    let scene = Scene::new("free");
    assert!(acquires(&scene.attempt(LONG).next(false)));
    assert_eq!(scene.owner(), scene.me.that(Phase::Holds));
}

/// The turnstile's.
const HEADS_SLICE: u64 = 20_000_000;

#[test]
fn one_that_waits_looks_after_a_moment_and_then_as_often_as_a_head_and_says_so_each_time() {
    let scene = Scene::new("waits");
    scene.is_owned_by(scene.other().that(Phase::Holds));
    let mut attempt = scene.attempt(LONG);
    let mut last = 0;
    for slice in [FIRST, HEADS_SLICE, HEADS_SLICE] {
        let before = clock::monotonic();
        assert_is(wait(&attempt.next(false)), slice, before);
        let noted = scene.objects.page.waiting();
        assert!(noted >= before && noted > last, "{noted}: others take it for stopped");
        last = noted;
    }
    // The wait has brought the unit.
    assert!(scene.objects.page.swap_owner(scene.owner(), Owner::NOBODY));
    assert!(acquires(&attempt.next(true)));
    assert_eq!(scene.owner(), scene.me.that(Phase::Holds));
}

#[test]
fn a_single_try_is_told_at_once_who_owns_the_lock() {
    let scene = Scene::new("single");
    let owner = scene.other().that(Phase::Holds);
    scene.is_owned_by(owner);
    assert_eq!(refused(&scene.attempt(Duration::ZERO).next(false)), Look::Owned(owner));
}

/// A process between its unit and its word would be called nobody, and its lock an orphan.
#[test]
fn that_nobody_is_there_is_said_after_a_pause_in_which_nobody_has_come() {
    let scene = Scene::new("nobody");
    scene.is_taken_in_silence();
    let mut attempt = scene.attempt(Duration::ZERO);
    let before = clock::monotonic();
    let until = wait(&attempt.next(false));
    assert_is(until, PAUSE, before);
    sleep_until(until);
    assert_eq!(refused(&attempt.next(false)), Look::Unknown);
    // Of another look nothing is known yet.
    let mut attempt = scene.attempt(Duration::ZERO);
    attempt.suspicion = Some((Look::Foreign, 0));
    wait(&attempt.next(false));
}

/// The same of one whose turn has not come.
#[test]
fn who_leaves_the_queue_does_not_call_one_nobody_that_is_about_to_write_its_word() {
    let scene = Scene::new("leaves");
    scene.is_taken_in_silence();
    let mut head = Turnstile::new(Arc::clone(&scene.objects), Deadline::after(LONG));
    head.advance(Deadline::after(LONG));
    let mut attempt = scene.attempt(Duration::from_nanos(1));
    let before = clock::monotonic();
    let until = rest(&attempt.next(false));
    assert_is(until, PAUSE, before);
    sleep_until(until);
    assert_eq!(refused(&attempt.next(false)), Look::Unknown);
    // One that owns it is named at once.
    let owner = scene.other().that(Phase::Holds);
    assert!(scene.objects.page.swap_owner(Owner::NOBODY, owner));
    assert_eq!(refused(&scene.attempt(Duration::from_nanos(1)).next(false)), Look::Owned(owner));
}

/// Without the pause a process that has taken the unit and not said so would be a second owner.
#[test]
fn what_a_dead_owner_left_is_claimed_and_inherited_a_pause_later() {
    let scene = Scene::new("left");
    scene.is_owned_by(Scene::dead());
    let mut attempt = scene.late_attempt();
    let before = clock::monotonic();
    let until = wait(&attempt.next(false));
    assert_is(until, PAUSE, before);
    assert_eq!(scene.owner(), scene.me.that(Phase::Claims));
    assert!(scene.objects.page.waiting() >= before);
    sleep_until(until);
    assert!(acquires(&attempt.next(false)));
    assert_eq!(scene.owner(), scene.me.that(Phase::Holds));
}

#[test]
fn an_heir_that_finds_that_its_claim_is_gone_waits_on() {
    let scene = Scene::new("outrun");
    scene.is_owned_by(Scene::dead());
    let mut attempt = scene.late_attempt();
    let until = wait(&attempt.next(false));
    let other = scene.other().that(Phase::Holds);
    assert!(scene.objects.page.swap_owner(scene.owner(), other));
    sleep_until(until);
    assert!(wait(&attempt.next(false)) > until);
    assert_eq!(scene.owner(), other);
}

/// Two that claim over each other again and again inherit nothing.
#[test]
fn anothers_claim_is_left_alone_for_a_while_and_that_of_a_dead_one_is_not() {
    let scene = Scene::new("claims");
    scene.is_owned_by(scene.other().that(Phase::Claims));
    let mut attempt = scene.late_attempt();
    let before = clock::monotonic();
    let until = wait(&attempt.next(false));
    assert_is(until, CLAIM, before);
    assert_eq!(scene.owner(), scene.other().that(Phase::Claims));
    sleep_until(until);
    wait(&attempt.next(false));
    assert_eq!(scene.owner(), scene.me.that(Phase::Claims));
    drop(attempt);

    let dead = Scene::dead().that(Phase::Claims);
    assert!(scene.objects.page.swap_owner(scene.owner(), dead));
    wait(&scene.late_attempt().next(false));
    assert_eq!(scene.owner(), scene.me.that(Phase::Claims));
}

/// It has one of another semaphore, or has yet to sign. To look again at once would keep the processor busy until it
/// has gone.
#[test]
fn a_unit_beside_a_live_owner_of_another_semaphore_is_put_back_and_looked_at_a_pause_later() {
    let scene = Scene::new("put-back");
    assert!(scene.objects.page.swap_owner(Owner::NOBODY, scene.other().that(Phase::Holds)));
    let mut attempt = scene.attempt(LONG);
    let before = clock::monotonic();
    assert_is(rest(&attempt.next(false)), PAUSE, before);
    assert_eq!(scene.objects.semaphore.value(), 1);
    assert!(scene.objects.page.waiting() >= before, "it is the head, and awake");
    // What it claimed before is another's by now.
    attempt.claims_until = Some(0);
    rest(&attempt.next(false));
    assert_eq!(attempt.claims_until, None);
    let looked = scene.attempt(Duration::ZERO).next(false);
    assert_eq!(refused(&looked), Look::Owned(scene.other().that(Phase::Holds)));
}

/// Who keeps it is beside the owner of the one that has its name by now.
#[test]
fn a_unit_of_a_semaphore_without_its_name_is_given_back_and_the_new_one_is_taken() {
    let scene = Scene::new("renamed");
    let mut attempt = scene.attempt(LONG);
    assert!(scene.objects.semaphore.try_wait());
    scene.files.remove();
    attempt.claims_until = Some(u64::MAX);
    assert!(acquires(&attempt.next(true)));
    assert!(!Arc::ptr_eq(&attempt.objects, &scene.objects));
    assert_eq!(attempt.claims_until, None);
    assert_eq!((scene.objects.semaphore.value(), scene.owner()), (1, Owner::NOBODY));
    assert_eq!(attempt.objects.page.owner(), scene.me.that(Phase::Holds));
    assert_eq!(attempt.objects.semaphore.value(), 0);
}

/// Nobody posts the one that it sleeps in.
#[test]
fn one_that_has_slept_looks_whether_the_files_are_others_by_now() {
    let scene = Scene::new("anew");
    scene.is_owned_by(scene.other().that(Phase::Holds));
    let mut attempt = scene.attempt(LONG);
    wait(&attempt.next(false));
    scene.files.remove();
    scene.objects.is_found_whole();
    assert!(acquires(&attempt.next(false)));
    assert!(!Arc::ptr_eq(&attempt.objects, &scene.objects));
}
