//! `reentrant`, `or_else`, `on_recover`, `timeout` as a const, `info` with captures.

use super::*;

fn abandon(name: &str) {
    Lock::open(Backend::Port, name).unwrap().acquire(Duration::from_secs(5)).unwrap().abandon();
}

#[test]
fn reentrant_lets_the_holder_in_again_and_gives_back_once() {
    const NAME: &str = "attribute-test/reentrant";
    #[interprocess_lock("attribute-test/reentrant", reentrant, timeout = "0s")]
    fn outer(depth: u32) -> Result<u32, LockError> {
        let deepest = if depth == 0 { 0 } else { outer(depth - 1)? + 1 };
        assert!(is_held(NAME));
        Ok(deepest)
    }
    alone();
    assert_eq!(outer(3).unwrap(), 3);
    assert!(!is_held(NAME));
    // Another thread is not the holder.
    assert!(while_taken(NAME, || outer(0)).unwrap_err().is_timeout());
}

mod or_else {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Reading {
        Busy(String),
        Value(u32),
    }

    impl Reading {
        fn busy(error: LockError) -> Self {
            Self::Busy(error.lock_name().to_owned())
        }
    }

    #[test]
    fn says_what_a_function_without_a_result_returns() {
        const NAME: &str = "attribute-test/or_else";
        static RAN: Mutex<u32> = Mutex::new(0);
        fn ran() {
            *RAN.lock().unwrap() += 1;
        }

        #[interprocess_lock("attribute-test/or_else", timeout = "0s", or_else = |_| None)]
        fn closure() -> Option<u32> {
            ran();
            Some(1)
        }
        #[interprocess_lock("attribute-test/or_else", timeout = "0s", or_else = Reading::busy)]
        fn path() -> Reading {
            ran();
            Reading::Value(2)
        }
        #[interprocess_lock("attribute-test/or_else", timeout = "0s", or_else = drop)]
        fn nothing() {
            ran();
        }
        #[interprocess_lock(
            "attribute-test/or_else",
            or_else = |error| {
                assert!(error.is_timeout());
                default
            },
            timeout = "0s",
        )]
        fn argument(default: String) -> String {
            ran();
            default + "!"
        }
        #[interprocess_lock("attribute-test/or_else", timeout = "0s", or_else = |error| Ok(Err(error)))]
        fn nested() -> io::Result<Result<u32, LockError>> {
            ran();
            Ok(Ok(5))
        }
        alone();
        while_taken(NAME, || {
            assert_eq!(closure(), None);
            assert_eq!(path(), Reading::Busy(NAME.to_owned()));
            nothing();
            assert_eq!(argument("a".to_owned()), "a");
            assert!(nested().unwrap().unwrap_err().is_timeout());
        });
        assert_eq!(*RAN.lock().unwrap(), 0);
        assert_eq!(closure(), Some(1));
        assert_eq!(path(), Reading::Value(2));
        nothing();
        assert_eq!(argument("a".to_owned()), "a!");
        assert_eq!(nested().unwrap().unwrap(), 5);
        assert_eq!(*RAN.lock().unwrap(), 5);
    }
}

mod or_else_of_drivers {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Error {
        Busy,
    }

    /// One function for all methods of a block, whatever they return.
    trait Busy {
        fn busy() -> Self;
    }

    impl Busy for Option<u8> {
        fn busy() -> Self {
            None
        }
    }

    impl<T> Busy for Result<T, Error> {
        fn busy() -> Self {
            Err(Error::Busy)
        }
    }

    fn busy<T: Busy>(_: LockError) -> T {
        T::busy()
    }

    #[derive(Debug, PartialEq)]
    struct Idle(u8);

    #[derive(Debug, PartialEq)]
    struct Running(u8);

    /// As embedded-hal's drivers have it: the driver comes back where its mode was not changed.
    #[derive(Debug, PartialEq)]
    struct ModeChangeError<D>(Error, D);

    #[interprocess_lock("attribute-test/or_else block", timeout = "0s", or_else = busy)]
    impl Idle {
        fn peek(&self) -> Option<u8> {
            Some(self.0)
        }

        fn read(&self) -> Result<u16, Error> {
            Ok(self.0.into())
        }

        #[interprocess_lock(
            "attribute-test/or_else block",
            timeout = "0s",
            or_else = |_| Err(ModeChangeError(Error::Busy, self)),
        )]
        fn start(self) -> Result<Running, ModeChangeError<Self>> {
            Ok(Running(self.0))
        }
    }

    #[test]
    fn is_generic_over_what_methods_return_and_gives_self_back() {
        alone();
        while_taken("attribute-test/or_else block", || {
            assert_eq!(Idle(1).peek(), None);
            assert_eq!(Idle(1).read(), Err(Error::Busy));
            assert_eq!(Idle(1).start(), Err(ModeChangeError(Error::Busy, Idle(1))));
        });
        assert_eq!(Idle(1).peek(), Some(1));
        assert_eq!(Idle(1).read(), Ok(1));
        assert_eq!(Idle(1).start(), Ok(Running(1)));
    }
}

mod on_recover {
    use lockattr::{Holder, Tenure};

    use super::*;

    #[test]
    fn runs_before_the_body_when_the_last_holder_died() {
        const NAME: &str = "attribute-test/on_recover";
        #[interprocess_lock("attribute-test/on_recover", on_recover = |dead| {
            assert!(is_held(NAME));
            assert_eq!(dead.tenure, Tenure::Abandoned);
            log.lock().unwrap().push("reset");
        })]
        fn read(log: &Mutex<Vec<&'static str>>) -> io::Result<()> {
            log.lock().unwrap().push("read");
            Ok(())
        }
        alone();
        let log = Mutex::new(Vec::new());
        read(&log).unwrap();
        assert_eq!(*log.lock().unwrap(), ["read"]);
        abandon(NAME);
        read(&log).unwrap();
        read(&log).unwrap();
        assert_eq!(*log.lock().unwrap(), ["read", "reset", "read", "read"]);
        assert!(!is_held(NAME));
    }

    #[test]
    fn its_error_is_the_functions_and_leaves_the_recovery_to_the_next() {
        const NAME: &str = "attribute-test/on_recover error";
        fn fails(_: &Holder) -> Result<(), std::fmt::Error> {
            Err(std::fmt::Error)
        }
        #[interprocess_lock("attribute-test/on_recover error", on_recover = fails)]
        fn read(_witness: Witness<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
            panic!("the body ran")
        }
        alone();
        abandon(NAME);
        let saw = Cell::new(None);
        let error = read(Witness { lock: NAME, value: 0, saw: &saw }).unwrap_err();
        assert!(error.is::<std::fmt::Error>());
        // The argument was dropped under the lock, as if the body had run.
        assert_eq!(saw.get(), Some(true));
        assert!(was_abandoned(NAME));
        assert!(!is_held(NAME));
    }

    #[test]
    fn its_panic_leaves_the_recovery_to_the_next() {
        const NAME: &str = "attribute-test/on_recover panic";
        fn panics(_: &Holder) {
            panic!("as intended")
        }
        #[interprocess_lock("attribute-test/on_recover panic", on_recover = panics)]
        fn read() -> io::Result<()> {
            unreachable!("the body ran")
        }
        alone();
        abandon(NAME);
        assert!(panic::catch_unwind(read).is_err());
        assert!(was_abandoned(NAME));
    }

    #[test]
    fn all_guarantees_hold_beside_it() {
        const NAME: &str = "attribute-test/on_recover all";
        struct Driver(Vec<&'static str>);
        impl Driver {
            fn reset(&mut self) {
                self.0.push("reset");
            }
            #[interprocess_lock(
                "attribute-test/on_recover all",
                on_recover = |_| { self.reset(); seen += 1; },
                or_else = |_| Err(0),
            )]
            fn read(
                &mut self,
                mut seen: u32,
                witness: Witness<'_>,
                tail: &Cell<Option<bool>>,
            ) -> Result<u32, u32> {
                self.0.push("read");
                seen += witness.value();
                if seen > 100 {
                    return Err(seen);
                }
                Ok(seen + Witness { lock: NAME, value: 5, saw: tail }.value())
            }
            #[interprocess_lock("attribute-test/on_recover all", on_recover = |_| {})]
            fn borrowed(&self) -> io::Result<&[&'static str]> {
                Ok(&self.0)
            }
        }
        alone();
        let (saw, tail) = (Cell::new(None), Cell::new(None));
        let witness = |value| Witness { lock: NAME, value, saw: &saw };
        let mut driver = Driver(Vec::new());
        abandon(NAME);
        assert_eq!(driver.read(1, witness(10), &tail), Ok(17));
        assert_eq!((saw.take(), tail.take()), (Some(true), Some(true)));
        assert_eq!(driver.read(1, witness(100), &tail), Err(101));
        assert_eq!((saw.take(), tail.take()), (Some(true), None));
        assert_eq!(driver.borrowed().unwrap(), ["reset", "read", "read"]);
        assert!(!is_held(NAME));
    }
}

mod timeout {
    use super::*;

    const BRIEFLY: Duration = Duration::from_millis(60);

    struct Driver;

    impl Driver {
        const PATIENCE: Duration = Duration::from_millis(30);

        #[interprocess_lock("attribute-test/const timeout", timeout = Self::PATIENCE)]
        fn read() -> Result<(), LockError> {
            Ok(())
        }
    }

    #[interprocess_lock("attribute-test/const timeout", timeout = BRIEFLY, backend = "port")]
    fn read() -> Result<(), LockError> {
        Ok(())
    }

    #[interprocess_lock("attribute-test/const timeout", timeout = std::time::Duration::ZERO)]
    fn try_read() -> Result<(), LockError> {
        Ok(())
    }

    struct Patient {
        timeout: Duration,
        nested: (Duration, u8),
    }

    impl Patient {
        #[interprocess_lock("attribute-test/const timeout", timeout = self.timeout)]
        fn of_field(&self) -> Result<(), LockError> {
            Ok(())
        }

        #[interprocess_lock("attribute-test/const timeout", timeout = self.nested.0)]
        fn of_nested_field(&self) -> Result<u8, LockError> {
            Ok(self.nested.1)
        }
    }

    // The body does not use it, which is no reason to warn.
    #[deny(unused_variables)]
    #[interprocess_lock("attribute-test/const timeout", timeout = patience)]
    fn of_argument(patience: Duration) -> Result<(), LockError> {
        Ok(())
    }

    #[interprocess_lock("attribute-test/const timeout", timeout = "0.03s")]
    fn of_a_fraction() -> Result<(), LockError> {
        Ok(())
    }

    #[test]
    fn is_an_argument_or_a_field() {
        alone();
        while_taken("attribute-test/const timeout", || {
            let patient = Patient { timeout: BRIEFLY, nested: (BRIEFLY, 1) };
            for (outcome, least) in [
                (patient.of_field(), BRIEFLY),
                (patient.of_nested_field().map(drop), BRIEFLY),
                (of_argument(BRIEFLY), BRIEFLY),
                (of_a_fraction(), Duration::from_millis(30)),
                (of_argument(Duration::ZERO), Duration::ZERO),
            ] {
                let Err(LockError::Timeout { waited, .. }) = outcome else {
                    panic!("no timeout");
                };
                assert!(waited >= least && waited < Duration::from_millis(900), "{waited:?}");
            }
        });
    }

    #[test]
    fn is_a_const() {
        alone();
        while_taken("attribute-test/const timeout", || {
            for (call, least) in [
                (read as fn() -> _, BRIEFLY),
                (Driver::read, Driver::PATIENCE),
                (try_read, Duration::ZERO),
            ] {
                let Err(LockError::Timeout { waited, .. }) = call() else {
                    panic!("no timeout");
                };
                assert!(waited >= least && waited < Duration::from_millis(900), "{waited:?}");
            }
        });
    }
}

#[test]
fn info_is_made_from_arguments() {
    struct Adc {
        bus: (u8, u8),
    }
    impl Adc {
        #[interprocess_lock(
            "attribute-test/info captures",
            info = "reading {channel:03} of {self.bus.1} {{{_unused:>width$}}}"
        )]
        fn read(&self, channel: String, _unused: u8, width: usize) -> io::Result<String> {
            // Moved: what captured it borrows no more.
            drop(channel);
            Ok(info("attribute-test/info captures"))
        }
    }
    alone();
    let text = Adc { bus: (1, 2) }.read("x".to_owned(), 7, 3).unwrap();
    assert_eq!(text, "reading x   of 2 {  7}");
}
