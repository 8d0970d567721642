//! How long the lock is held.

use super::*;

#[test]
fn while_the_body_runs_and_no_longer() {
    const NAME: &str = "attribute-test/body";
    #[interprocess_lock("attribute-test/body")]
    fn body() -> Result<bool, LockError> {
        Ok(is_held(NAME))
    }
    alone();
    assert!(!is_held(NAME));
    assert!(body().unwrap());
    assert!(!is_held(NAME));
    assert!(body().unwrap());
}

#[test]
fn until_an_early_return() {
    const NAME: &str = "attribute-test/return";
    #[interprocess_lock("attribute-test/return")]
    fn early(now: bool) -> io::Result<u32> {
        if now {
            return Ok(1);
        }
        Ok(2)
    }
    alone();
    assert_eq!(early(true).unwrap(), 1);
    assert!(!is_held(NAME));
    assert_eq!(early(false).unwrap(), 2);
    assert!(!is_held(NAME));
}

#[test]
fn until_a_question_mark() {
    const NAME: &str = "attribute-test/question-mark";
    #[interprocess_lock("attribute-test/question-mark")]
    fn parse(text: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
        let number = text.parse::<u32>()?;
        Ok(number)
    }
    alone();
    assert_eq!(parse("7").unwrap(), 7);
    assert!(parse("seven").is_err());
    assert!(!is_held(NAME));
}

#[test]
fn until_a_panic() {
    const NAME: &str = "attribute-test/panic";
    #[interprocess_lock("attribute-test/panic")]
    fn fails() -> io::Result<()> {
        assert!(!is_held(NAME), "as intended");
        Ok(())
    }
    alone();
    let panicked = panic::catch_unwind(fails).unwrap_err();
    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"as intended"));
    assert!(!is_held(NAME));
}

#[test]
fn while_temporaries_of_the_last_expression_drop() {
    const NAME: &str = "attribute-test/temporaries";
    #[interprocess_lock("attribute-test/temporaries")]
    fn tail(saw: &Cell<Option<bool>>) -> Result<u32, LockError> {
        Ok(Witness { lock: NAME, value: 42, saw }.value())
    }
    // With and without arguments, the body stands in another place.
    thread_local!(static SAW: Cell<Option<bool>> = const { Cell::new(None) });
    #[interprocess_lock("attribute-test/temporaries")]
    fn tail_without_arguments() -> Result<u32, LockError> {
        SAW.with(|saw| Ok(Witness { lock: NAME, value: 42, saw }.value()))
    }
    alone();
    let saw = Cell::new(None);
    assert_eq!(tail(&saw).unwrap(), 42);
    assert_eq!(saw.get(), Some(true));
    assert_eq!(tail_without_arguments().unwrap(), 42);
    assert_eq!(SAW.with(Cell::get), Some(true));
}

#[test]
fn while_arguments_taken_by_value_drop() {
    const NAME: &str = "attribute-test/arguments";
    #[interprocess_lock("attribute-test/arguments")]
    fn plain(witness: Witness<'_>) -> Result<u32, LockError> {
        Ok(witness.value())
    }
    #[interprocess_lock("attribute-test/arguments")]
    fn mutable(mut witness: Witness<'_>) -> Result<u32, LockError> {
        witness.lock = NAME;
        Ok(witness.value())
    }
    #[interprocess_lock("attribute-test/arguments")]
    fn ignored(_: Witness<'_>) -> Result<u32, LockError> {
        Ok(42)
    }
    #[interprocess_lock("attribute-test/arguments")]
    fn unused(_witness: Witness<'_>) -> Result<u32, LockError> {
        Ok(42)
    }
    #[interprocess_lock("attribute-test/arguments")]
    fn half((n, _): (u32, Witness<'_>)) -> Result<u32, LockError> {
        Ok(n)
    }
    #[interprocess_lock("attribute-test/arguments")]
    fn by_reference(ref witness: Witness<'_>) -> Result<u32, LockError> {
        Ok(witness.value())
    }
    #[interprocess_lock("attribute-test/arguments")]
    fn by_mutable_reference(ref mut witness: Witness<'_>) -> Result<u32, LockError> {
        witness.lock = NAME;
        Ok(witness.value())
    }
    #[interprocess_lock("attribute-test/arguments")]
    fn half_by_mutable_reference(
        (ref mut n, _): (u32, Witness<'_>),
        &mut (ref mut m, _): &mut (u32, String),
    ) -> Result<u32, LockError> {
        *n += *m;
        *m = 0;
        Ok(*n)
    }
    alone();
    let saw = Cell::new(None);
    let witness = || Witness { lock: NAME, value: 42, saw: &saw };
    let mut pair = (2, String::new());
    assert_eq!(half_by_mutable_reference((40, witness()), &mut pair).unwrap(), 42);
    assert_eq!(saw.take(), Some(true));
    for (form, result) in [
        ("plain", plain(witness())),
        ("mutable", mutable(witness())),
        ("ignored", ignored(witness())),
        ("unused", unused(witness())),
        ("half", half((42, witness()))),
        ("by_reference", by_reference(witness())),
        ("by_mutable_reference", by_mutable_reference(witness())),
    ] {
        assert_eq!(result.unwrap(), 42, "{form}");
    }
    for call in [plain, mutable, ignored, unused, by_reference, by_mutable_reference] {
        saw.set(None);
        call(witness()).unwrap();
        assert_eq!(saw.get(), Some(true));
    }
    saw.set(None);
    half((42, witness())).unwrap();
    assert_eq!(saw.get(), Some(true));
}

/// A body whose last expression borrows from an argument: what it borrows must live longer.
#[test]
fn arguments_outlive_temporaries_that_borrow_from_them() {
    #[interprocess_lock("attribute-test/borrowing")]
    fn locked(numbers: Mutex<Vec<u32>>) -> io::Result<usize> {
        Ok(numbers.lock().map_or(0, |numbers| numbers.len()))
    }
    #[interprocess_lock("attribute-test/borrowing")]
    fn matched((numbers, _): (Mutex<Vec<u32>>, u8)) -> io::Result<usize> {
        match numbers.lock() {
            Ok(numbers) => Ok(numbers.len()),
            Err(_) => Ok(0),
        }
    }
    alone();
    assert_eq!(locked(Mutex::new(vec![1, 2])).unwrap(), 2);
    assert_eq!(matched((Mutex::new(vec![1, 2]), 0)).unwrap(), 2);
}

struct Noted<'a>(&'a str, &'a Mutex<Vec<String>>);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0.to_owned());
    }
}

type Pair<'a> = (Noted<'a>, Noted<'a>);

macro_rules! drops {
    ($(#[$attr:meta])* $function:ident) => {
        $(#[$attr])*
        fn $function<'a>(
            a: Noted<'a>,
            (b, _): Pair<'a>,
            _: Noted<'a>,
            (_, c): Pair<'a>,
            mut _d: Noted<'a>,
            e: Noted<'a>,
            ref f: Noted<'a>,
            g @ Noted(..): Noted<'a>,
        ) -> io::Result<()> {
            let _ = (&a, &b, &c, f, &g);
            _d.0 = "d";
            drop(e);
            Ok(())
        }
    };
}

/// Rust's own order, not one that was written down here.
#[test]
fn arguments_drop_in_the_order_of_parameters() {
    drops!(without);
    drops!(
        #[interprocess_lock("attribute-test/order")]
        with
    );
    type Call = for<'a> fn(
        Noted<'a>,
        Pair<'a>,
        Noted<'a>,
        Pair<'a>,
        Noted<'a>,
        Noted<'a>,
        Noted<'a>,
        Noted<'a>,
    ) -> io::Result<()>;
    alone();
    let order = |call: Call| {
        let log = Mutex::new(Vec::new());
        let noted = |name: &'static str| Noted(name, &log);
        call(
            noted("a"),
            (noted("b"), noted("b's other")),
            noted("ignored"),
            (noted("c's other"), noted("c")),
            noted("d"),
            noted("e"),
            noted("f"),
            noted("g"),
        )
        .unwrap();
        log.into_inner().unwrap()
    };
    assert_eq!(order(with), order(without));
    assert_eq!(order(with).len(), 10);
}
