//! Several locks in one attribute.

use super::*;

const THIRD: &str = "attribute-test/several third";

#[test]
fn are_held_together() {
    #[interprocess_lock(["attribute-test/several a", THIRD, "attribute-test/several {n}"])]
    fn all(n: u32) -> io::Result<bool> {
        let fixed = is_held("attribute-test/several a") && is_held(THIRD);
        Ok(fixed && is_held(&format!("attribute-test/several {n}")))
    }
    #[interprocess_lock(["attribute-test/several a",], reentrant)]
    fn one() -> io::Result<bool> {
        Ok(is_held("attribute-test/several a"))
    }
    alone();
    assert!(all(1).unwrap());
    assert!(one().unwrap());
    for name in ["attribute-test/several a", THIRD, "attribute-test/several 1"] {
        assert!(!is_held(name), "{name}");
    }
}

#[test]
fn none_is_kept_when_one_fails() {
    #[interprocess_lock(["attribute-test/none b", "attribute-test/none a"], timeout = "20ms")]
    fn both() -> Result<(), LockError> {
        panic!("the body ran")
    }
    alone();
    for (taken, other) in [
        ("attribute-test/none a", "attribute-test/none b"),
        ("attribute-test/none b", "attribute-test/none a"),
    ] {
        while_taken(taken, || {
            assert_eq!(both().unwrap_err().lock_name(), taken);
            assert!(!is_held(other));
        });
    }
}

#[test]
fn whatever_the_order_written_nobody_waits_in_a_circle() {
    #[interprocess_lock(["attribute-test/order a", "attribute-test/order b"], timeout = "30s")]
    fn forward() -> Result<(), LockError> {
        Ok(())
    }
    #[interprocess_lock(["attribute-test/order b", "attribute-test/order a"], timeout = "30s")]
    fn backward() -> Result<(), LockError> {
        Ok(())
    }
    alone();
    thread::scope(|scope| {
        for call in [forward, backward] {
            scope.spawn(move || (0..300).try_for_each(|_| call()).unwrap());
        }
    });
}

#[test]
fn one_lock_by_two_names_is_an_error_at_run_time() {
    #[interprocess_lock(["attribute-test/twice", "attribute-test/{name}"])]
    fn twice(name: &str) -> Result<(), LockError> {
        panic!("the body ran with {name}")
    }
    alone();
    assert!(matches!(twice("twice"), Err(LockError::WouldDeadlock { .. })));
    assert!(!is_held("attribute-test/twice"));
}
