//! Places in the queue, in one process, step by step.

use std::time::Duration;

use super::super::objects::tests::Files;
use super::*;

const LONG: Duration = Duration::from_secs(600);

/// Some time that is surely over, and was long ago for one that queues.
fn over() -> Deadline<'static> {
    let deadline = Deadline::after(Duration::from_nanos(1));
    while !deadline.has_long_passed(GRACE) {
        std::thread::sleep(Duration::from_millis(1));
    }
    deadline
}

/// A look of a head that was made long ago.
const OLD: u64 = 5;

fn patient(objects: &Arc<Objects>) -> Turnstile {
    Turnstile::new(Arc::clone(objects), Deadline::after(LONG))
}

impl Turnstile {
    fn goes_on(&mut self) -> Turn {
        self.advance(Deadline::after(LONG))
    }

    fn is_head(&self) -> bool {
        matches!(self.place, Place::Head(..))
    }

    fn is_out_of_turn(&self) -> bool {
        matches!(self.place, Place::OutOfTurn)
    }

    /// It is time to see whether the head goes on looking.
    fn has_waited_for_long(&mut self) {
        let Place::Queued(_, watch) = &mut self.place else { panic!("{:?}", self.place) };
        watch.until = 0;
    }
}

/// While it is there, nobody takes a unit past those that wait; one that stays would send them all there.
#[test]
fn a_heads_hint_is_there_while_it_is_and_no_longer_where_none_follows() {
    let files = Files::new("hint");
    let objects = files.open();
    let mut head = patient(&objects);
    assert_eq!(head.goes_on(), Turn::Tries);
    assert!(head.is_head() && head.slice() == HEADS_SLICE);
    head.note(OLD);
    assert_eq!(objects.page.waiting(), OLD);
    drop(head);
    assert_eq!(objects.page.waiting(), 0);
    // A head of another network namespace has looked meanwhile.
    let mut head = patient(&objects);
    head.goes_on();
    head.note(OLD);
    objects.page.note_waiting(OLD + 1);
    drop(head);
    assert_eq!(objects.page.waiting(), OLD + 1);
}

#[test]
fn one_out_of_turn_leaves_no_hint() {
    let files = Files::new("no-hint");
    let objects = files.open();
    let mut beside = patient(&objects);
    beside.go_out_of_turn();
    assert_eq!(beside.goes_on(), Turn::Tries);
    beside.note(OLD);
    assert_eq!((objects.page.waiting(), beside.slice()), (0, SLICE));
    drop(beside);
    assert_eq!(objects.page.waiting(), 0);
}

#[test]
fn a_place_goes_to_the_first_that_waits_and_the_hint_stays_for_it() {
    let files = Files::new("next");
    let objects = files.open();
    let [mut first, mut second, mut third] = [(); 3].map(|()| patient(&objects));
    assert_eq!(first.goes_on(), Turn::Tries);
    first.note(OLD);
    for waiter in [&mut second, &mut third] {
        assert!(matches!(waiter.goes_on(), Turn::Queues(_)));
        assert!(waiter.connection().is_some());
    }
    drop(first);
    assert_eq!(objects.page.waiting(), OLD);
    assert!(matches!(third.goes_on(), Turn::Queues(_)));
    assert_eq!(second.goes_on(), Turn::Tries);
    assert!(second.is_head() && second.connection().is_none());
}

/// Otherwise the place is free, and one that comes just then has it.
#[test]
fn who_stops_waiting_or_comes_too_late_for_its_turn_passes_it_on() {
    let files = Files::new("late");
    let objects = files.open();
    let [mut head, mut leaves, mut is_late, mut last] = [(); 4].map(|()| patient(&objects));
    for waiter in [&mut head, &mut leaves, &mut is_late, &mut last] {
        waiter.goes_on();
    }
    drop(head);
    let is_overtaken = || patient(&objects).goes_on() == Turn::Tries;
    drop(leaves); // with the place on its way to it
    assert!(!is_overtaken());
    assert_eq!(is_late.advance(over()), Turn::Gone);
    assert!(!is_overtaken());
    assert_eq!(last.goes_on(), Turn::Tries);
    assert!(last.is_head());
}

#[test]
fn who_is_late_where_it_has_not_waited_tries_all_the_same() {
    let files = Files::new("first");
    let mut first = patient(&files.open());
    assert_eq!(first.advance(over()), Turn::Tries);
    assert!(first.is_head());
}

#[test]
fn a_single_try_goes_behind_those_that_wait_and_past_a_head_that_sleeps() {
    let files = Files::new("try");
    let objects = files.open();
    let at_once = || {
        let mut turnstile = Turnstile::new(Arc::clone(&objects), Deadline::after(Duration::ZERO));
        (turnstile.advance(Deadline::after(LONG)), turnstile)
    };
    let (turn, none_waits) = at_once();
    assert!(turn == Turn::Tries && none_waits.is_out_of_turn());
    // A hint that its head has left behind is taken up, and cleared at the end.
    objects.page.note_waiting(OLD);
    let (turn, left_alone) = at_once();
    assert!(turn == Turn::Tries && left_alone.is_head());
    drop(left_alone);
    assert_eq!(objects.page.waiting(), 0);

    let mut head = patient(&objects);
    head.goes_on();
    head.note(OLD);
    let (turn, past_it) = at_once();
    assert!(turn == Turn::Tries && past_it.is_out_of_turn());
    // This one is awake, if not more than 60 ms go by before it is looked at.
    let is_refused = |_| {
        objects.page.note_waiting(clock::monotonic());
        at_once().0 == Turn::Gone
    };
    assert!((0..1_000).any(is_refused));
}

#[test]
fn a_head_that_looks_no_more_is_lost_to_all_threads_at_once_until_there_is_another() {
    let files = Files::new("lost");
    let objects = files.open();
    let [mut head, mut finds_out, mut is_told, mut comes_later] =
        [(); 4].map(|()| patient(&objects));
    head.goes_on();
    head.note(OLD);
    for waiter in [&mut finds_out, &mut is_told, &mut comes_later] {
        assert!(matches!(waiter.goes_on(), Turn::Queues(_)));
    }
    // They came before that look, or when it was another one: all begin to watch it now.
    for waiter in [&mut finds_out, &mut is_told] {
        let Place::Queued(_, watch) = &mut waiter.place else { panic!("{:?}", waiter.place) };
        watch.noted = OLD;
    }
    assert!(matches!(finds_out.goes_on(), Turn::Queues(_)), "it is too early to say");
    finds_out.has_waited_for_long();
    assert_eq!(finds_out.goes_on(), Turn::Tries);
    assert!(finds_out.is_out_of_turn());
    assert_eq!(is_told.goes_on(), Turn::Tries);
    assert!(is_told.is_out_of_turn());
    // The head goes on.
    head.note(OLD + 1);
    assert!(matches!(comes_later.goes_on(), Turn::Queues(_)));
    // Another one has the place, and what is known of the one before counts no more.
    objects.stalled.remember(OLD + 1);
    drop(head);
    assert_eq!(comes_later.goes_on(), Turn::Tries);
    assert!(comes_later.is_head() && !objects.stalled.is(OLD + 1));
}

#[test]
fn who_finds_the_head_lost_when_its_own_time_is_over_does_not_try_any_more() {
    let files = Files::new("both");
    let objects = files.open();
    let [mut head, mut waiter] = [(); 2].map(|()| patient(&objects));
    head.goes_on();
    head.note(OLD);
    assert!(matches!(waiter.goes_on(), Turn::Queues(_)));
    objects.stalled.remember(OLD);
    assert_eq!(waiter.advance(over()), Turn::Gone);
}

/// There may be hundreds that watch, and one that is left alone should not wait for long.
#[test]
fn the_pauses_of_one_that_watches_grow_and_leave_time_to_try_out_of_turn() {
    let files = Files::new("watch");
    let objects = files.open();
    let watch = |patience, left| {
        let mut watch = Watch { noted: OLD, patience, until: 0 };
        objects.page.note_waiting(OLD + 1);
        assert!(!watch.is_lost(&objects, Deadline::after(left)), "the head has looked");
        assert_eq!(watch.noted, OLD + 1);
        assert!(watch.until >= watch.patience);
        watch.patience
    };
    assert_eq!(watch(WATCHED, LONG), 2 * WATCHED);
    assert_eq!(watch(3 * TRUSTED / 4, LONG), TRUSTED);
    assert_eq!(watch(WATCHED, Duration::ZERO), SHORTEST);
    let quarter = watch(TRUSTED, Duration::from_secs(8));
    assert!((SHORTEST..=2_000_000_000).contains(&quarter), "{quarter}");
    let half = Watch::new(&objects, Deadline::after(Duration::from_millis(400))).patience;
    assert!(half <= 200_000_000, "{half}");
    assert_eq!(Watch::new(&objects, Deadline::after(LONG)).patience, WATCHED);
}

/// A touch of what was cut off is a SIGBUS.
#[test]
fn a_head_that_ends_because_its_files_were_cut_touches_nothing_that_is_gone() {
    let files = Files::new("cut");
    let objects = files.open();
    let mut head = patient(&objects);
    head.goes_on();
    head.note(OLD);
    files.cut_page();
    drop(head);
    assert_eq!(objects.page.waiting(), 0, "it has its memory again");
}
