//! Each function of the protocol on its own, beside others that do something in between. The model goes
//! through every order; these tests say at once which function is at fault.

mod scripted;

use super::*;
use crate::backend::semaphore::memory::done;
use scripted::{claims, holds, process, Scripted, Step, ME};
use Step::{HasSigned, IsNamed, Mark, Post, Sign, Swap, Text, TryWait, Unsign, Value};

const NOBODY: Owner = Owner::NOBODY;

fn mine() -> Owner {
    ME.that(Phase::Holds)
}

fn my_claim() -> Owner {
    ME.that(Phase::Claims)
}

#[test]
fn a_unit_makes_an_owner_of_what_is_free_claimed_or_left() {
    for memory in [
        Scripted::new(0, NOBODY),
        Scripted::new(0, claims(2)),
        Scripted::new(0, claims(2)).unnamed().signed(),
        Scripted::new(0, holds(2)).dead(),
        Scripted::new(0, holds(2)).dead().signed().unnamed(),
        Scripted::new(0, NOBODY).unnamed(),
        Scripted::new(0, NOBODY).foreign(),
    ] {
        assert_eq!(done(own(&memory)), Taken::Owned);
        assert_eq!(memory.left(), (0, mine()));
        // Nobody inherits over a foreign text, or from an owner that has not signed.
        assert_eq!(memory.changes(), [Mark, Swap, Sign]);
        assert!(memory.text_is_an_owners.get() && memory.signed.get() == mine());
    }
}

#[test]
fn a_unit_beside_a_live_owner_is_dropped_or_put_back() {
    let memory = Scripted::new(0, holds(2)).signed();
    assert_eq!(done(own(&memory)), Taken::Surplus);
    assert_eq!((memory.left(), memory.changes()), ((0, holds(2)), vec![]));

    // The owner's unit is of another semaphore, or it has yet to say of which.
    let memory = Scripted::new(0, holds(2));
    assert_eq!(done(own(&memory)), Taken::PutBack);
    assert_eq!((memory.left(), memory.changes()), ((1, holds(2)), vec![Post]));

    // A dead one's was of a semaphore made anew, and this one has no name any more.
    for owner in [Scripted::new(0, holds(2)).dead(), Scripted::new(0, claims(2))] {
        let memory = owner.unnamed();
        assert_eq!(done(own(&memory)), Taken::PutBack);
        assert_eq!((memory.left().0, memory.changes()), (1, vec![Post]));
    }
}

#[test]
fn who_comes_second_to_the_word_looks_again() {
    let memory = Scripted::new(0, NOBODY).before(Swap, |memory| {
        memory.owner.set(holds(2));
        memory.signed.set(holds(2));
    });
    assert_eq!(done(own(&memory)), Taken::Surplus);
    assert_eq!(memory.left(), (0, holds(2)));
    assert_eq!(memory.signed.get(), holds(2));

    let memory = Scripted::new(0, claims(2)).before(Swap, |memory| memory.owner.set(NOBODY));
    assert_eq!(done(own(&memory)), Taken::Owned);
    assert_eq!(memory.left(), (0, mine()));
}

#[test]
fn an_owner_takes_out_what_a_mistake_has_posted_and_no_more() {
    for units in [0, 1, 16] {
        let memory = Scripted::new(units, mine());
        assert_eq!(done(drain(&memory)), Drained::Surplus(units));
        assert_eq!(memory.left(), (0, mine()));
    }
    let memory = Scripted::new(17, mine());
    assert_eq!(done(drain(&memory)), Drained::TooMany(17));
    assert_eq!((memory.left(), memory.changes()), ((17, mine()), vec![]));

    // What another process has taken meanwhile is not counted.
    let memory = Scripted::new(2, mine()).before(TryWait, |memory| memory.value.set(0));
    assert_eq!(done(drain(&memory)), Drained::Surplus(0));

    // A program that posts for ever keeps nobody busy for ever.
    let memory = Scripted::new(10, mine()).before(TryWait, |memory| memory.value.set(20));
    assert_eq!(done(drain(&memory)), Drained::TooMany(19));
}

#[test]
fn who_refuses_leaves_as_many_units_as_it_found() {
    let memory = Scripted::new(17, mine());
    done(refuse(&memory));
    assert_eq!((memory.left(), memory.changes()), ((18, NOBODY), vec![Swap, Post]));

    let memory = Scripted::new(17, holds(2));
    done(refuse(&memory));
    assert_eq!(memory.left(), (17, holds(2)));
}

#[test]
fn a_lock_is_kept_only_if_others_find_it_by_its_name() {
    let memory = Scripted::new(0, mine()).signed();
    assert!(done(keeps(&memory)));
    assert_eq!((memory.left(), memory.changes()), ((0, mine()), vec![]));

    let memory = Scripted::new(0, mine()).signed().unnamed();
    assert!(!done(keeps(&memory)));
    assert_eq!((memory.left(), memory.changes()), ((1, NOBODY), vec![Unsign, Swap, Post]));
    assert_eq!(memory.signed.get(), NOBODY);
}

#[test]
fn a_release_clears_the_word_and_then_posts_one_unit() {
    let memory = Scripted::new(0, mine());
    assert!(done(give_back(&memory)));
    assert_eq!((memory.left(), memory.changes()), ((1, NOBODY), vec![Swap, Post]));

    // A surplus that lies there does for the unit, unless another process has dropped it meanwhile.
    let memory = Scripted::new(1, mine());
    assert!(done(give_back(&memory)));
    assert_eq!((memory.left(), memory.changes()), ((1, NOBODY), vec![Swap]));
    let memory = Scripted::new(1, mine()).before(Swap, |memory| memory.value.set(0));
    assert!(done(give_back(&memory)));
    assert_eq!(memory.left(), (1, NOBODY));
}

#[test]
fn a_release_of_what_is_anothers_posts_nothing() {
    for owner in [holds(2), claims(2)] {
        let memory = Scripted::new(0, owner);
        assert!(!done(give_back(&memory)));
        assert_eq!(memory.left(), (0, owner));
        assert!(!memory.changes().contains(&Post));
    }
    let memory = Scripted::new(0, mine()).before(Swap, |memory| memory.owner.set(holds(2)));
    assert!(!done(give_back(&memory)));
    assert_eq!(memory.left(), (0, holds(2)));
}

#[test]
fn a_word_that_was_written_over_is_taken_back_and_released() {
    // No process has written that, or an opener of the page has cleared it since.
    let memory = Scripted::new(0, Owner(7)).dead();
    assert!(done(give_back(&memory)));
    assert_eq!(memory.left(), (1, NOBODY));
    // `is_dead` holds for what no process wrote.
    let memory = Scripted::new(0, NOBODY).dead();
    assert!(done(give_back(&memory)));
    assert_eq!(memory.left(), (1, NOBODY));
}

#[test]
fn a_release_does_not_wait_for_ever_for_a_word_that_is_written_over_again_and_again() {
    fn write_over(memory: &Scripted) {
        memory.owner.set(Owner(memory.owner.get().0 + 1));
        memory.dead.set(memory.owner.get());
        memory.again(Swap, write_over);
    }
    let memory = Scripted::new(0, Owner(7)).dead().before(Swap, write_over);
    assert!(!done(give_back(&memory)));
    assert_eq!(memory.value.get(), 0);
}

#[test]
fn a_lock_that_is_left_taken_has_no_word_and_no_unit() {
    let memory = Scripted::new(0, mine());
    assert!(done(detach(&memory)));
    assert_eq!((memory.left(), memory.changes()), ((0, NOBODY), vec![Swap]));
    let memory = Scripted::new(0, holds(2));
    assert!(!done(detach(&memory)));
    assert_eq!(memory.left(), (0, holds(2)));
}

#[test]
fn a_look_tells_each_case_from_the_others() {
    for (memory, expected) in [
        (Scripted::new(0, holds(2)), Look::Owned(holds(2))),
        (Scripted::new(1, holds(2)), Look::Owned(holds(2))),
        (Scripted::new(0, holds(2)).foreign(), Look::Owned(holds(2))),
        (Scripted::new(1, NOBODY), Look::Free),
        (Scripted::new(1, NOBODY).foreign(), Look::Free),
        (Scripted::new(1, holds(2)).dead(), Look::Free),
        (Scripted::new(1, claims(2)), Look::Free),
        (Scripted::new(0, NOBODY), Look::Unknown),
        (Scripted::new(0, NOBODY).foreign(), Look::Foreign),
        (Scripted::new(0, holds(2)).dead(), Look::Left(holds(2))),
        (Scripted::new(0, holds(2)).dead().foreign(), Look::Foreign),
        (Scripted::new(0, claims(2)), Look::Left(claims(2))),
        (Scripted::new(0, claims(2)).foreign(), Look::Foreign),
    ] {
        let before = memory.left();
        assert_eq!(done(look(&memory)), expected, "{before:?}");
        assert_eq!((memory.left(), memory.changes()), (before, vec![]));
    }
}

#[test]
fn a_claim_replaces_the_word_that_was_looked_at() {
    for memory in [
        Scripted::new(0, holds(2)).dead(),
        Scripted::new(0, holds(2)).dead().signed(),
        Scripted::new(0, holds(2)).dead().signed().unnamed(),
        Scripted::new(0, claims(2)),
    ] {
        assert!(done(claim(&memory, memory.owner.get())));
        assert_eq!((memory.left(), memory.changes()), ((0, my_claim()), vec![Swap]));
    }
    // Another process was faster.
    let memory =
        Scripted::new(0, holds(2)).dead().before(Swap, |memory| memory.owner.set(claims(3)));
    assert!(!done(claim(&memory, holds(2))));
    assert_eq!(memory.left(), (0, claims(3)));
    // The dead one's unit is of the semaphore that has the name; this one was removed.
    let memory = Scripted::new(0, holds(2)).dead().unnamed();
    assert!(!done(claim(&memory, holds(2))));
    assert_eq!((memory.left(), memory.changes()), ((0, holds(2)), vec![]));
}

#[test]
fn an_heir_inherits_the_unit_of_the_dead_and_posts_none() {
    let memory = Scripted::new(0, my_claim());
    assert!(done(inherit(&memory)));
    assert_eq!((memory.left(), memory.changes()), ((0, mine()), vec![Swap, Sign]));
    assert_eq!(memory.signed.get(), mine());
}

#[test]
fn an_heir_inherits_nothing_where_others_have_come_in_between() {
    // It was released by force, and lies there; or a foreign program has taken it.
    for memory in [Scripted::new(1, my_claim()), Scripted::new(0, my_claim()).foreign()] {
        let units = memory.value.get();
        assert!(!done(inherit(&memory)));
        assert_eq!((memory.left(), memory.changes()), ((units, NOBODY), vec![Swap]));
    }
    // All of it may happen between the two looks, so the value is looked at first.
    let memory = Scripted::new(1, my_claim()).before(Text, |memory| memory.value.set(0));
    assert!(!done(inherit(&memory)));
    // Another process had a unit, or claims as well.
    let others: [fn(&Scripted); 2] =
        [|memory| memory.owner.set(holds(2)), |memory| memory.owner.set(claims(2))];
    for interference in others {
        for memory in [Scripted::new(0, my_claim()), Scripted::new(1, my_claim())] {
            let memory = memory.before(Swap, interference);
            assert!(!done(inherit(&memory)));
            assert_eq!(memory.owner.get().process(), process(2));
            assert_eq!(memory.changes(), [Swap]);
        }
    }
}

#[test]
fn a_forced_release_posts_one_unit_and_leaves_a_live_owner_its_word() {
    for (memory, is_taken, left) in [
        (Scripted::new(0, NOBODY), true, (1, NOBODY)),
        (Scripted::new(0, holds(2)), true, (1, holds(2))),
        (Scripted::new(0, claims(2)), true, (1, NOBODY)),
        (Scripted::new(0, holds(2)).dead(), true, (1, NOBODY)),
        // Nothing of its own semaphore is to be inherited.
        (Scripted::new(0, holds(2)).dead().unnamed(), true, (1, holds(2))),
        // A unit lies there already.
        (Scripted::new(1, NOBODY), false, (1, NOBODY)),
        (Scripted::new(1, claims(2)), false, (1, claims(2))),
        (Scripted::new(1, holds(2)).dead(), false, (1, holds(2))),
        (Scripted::new(1, holds(2)), true, (1, holds(2))),
    ] {
        let before = memory.left();
        assert_eq!(done(force(&memory)), is_taken, "{before:?}");
        assert_eq!(memory.left(), left, "{before:?}");
    }
}

#[test]
fn a_forced_release_that_comes_second_to_an_heir_posts_nothing() {
    let memory =
        Scripted::new(0, holds(2)).dead().before(Swap, |memory| memory.owner.set(claims(3)));
    assert!(!done(force(&memory)));
    assert_eq!(memory.left(), (0, claims(3)));
}

#[test]
fn nothing_is_left_to_do_between_the_word_and_the_unit() {
    // Who dies there leaves an orphan.
    let memory = Scripted::new(0, mine());
    assert!(done(give_back(&memory)));
    assert_eq!(memory.steps(), [Value, Swap, Post]);
    // And the signature is looked at before the name, which costs a system call.
    let memory = Scripted::new(0, holds(2)).dead().signed();
    assert!(done(claim(&memory, holds(2))));
    assert_eq!(memory.steps(), [HasSigned, Swap]);
    let memory = Scripted::new(0, holds(2)).dead();
    assert!(done(claim(&memory, holds(2))));
    assert_eq!(memory.steps(), [HasSigned, IsNamed, Swap]);
}
