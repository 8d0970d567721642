//! What a function under the attribute does: when the lock is held, when it is given back, what
//! comes out when it cannot be had, and what others get to see.

// An `unsafe fn` is one of the kinds of functions, and an `extern "C" fn`; but no `Result` is C.
#![allow(unsafe_code, improper_ctypes_definitions)]
// Forms that one would not choose, but may have.
#![allow(
    clippy::boxed_local,
    clippy::needless_arbitrary_self_type,
    clippy::too_many_arguments,
    clippy::toplevel_ref_arg
)]

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::panic;
use std::sync::{mpsc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use lockattr::{interprocess_lock, Backend, Lock, LockError};

/// Keeps other runs of this test away, whose locks have the same names, until the process ends.
fn alone() {
    static RUN: OnceLock<nix::fcntl::Flock<std::fs::File>> = OnceLock::new();
    RUN.get_or_init(|| {
        let path = std::env::temp_dir().join("lockattr-tests-attribute");
        let file = std::fs::File::create(path).unwrap();
        nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap()
    });
}

/// Whether the lock is taken, as somebody else sees it.
fn is_held(name: &str) -> bool {
    let probe = || match Lock::open(Backend::Port, name).unwrap().try_acquire() {
        Ok(_guard) => false,
        Err(error) if error.is_timeout() => true,
        Err(error) => panic!("{error}"),
    };
    thread::scope(|scope| scope.spawn(probe).join().unwrap())
}

/// Runs `f` while another thread holds the lock.
fn while_taken<R>(name: &str, f: impl FnOnce() -> R) -> R {
    let (taken, is_taken) = mpsc::channel();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let lock = Lock::open(Backend::Port, name).unwrap();
            let _guard = lock.acquire(Duration::from_secs(5)).unwrap();
            taken.send(()).unwrap();
            // Ends with an error when `f` has returned, or panicked.
            let _ = is_done.recv();
        });
        is_taken.recv().unwrap();
        let result = f();
        drop(done);
        result
    })
}

/// What others are told about the holder.
fn info(name: &str) -> String {
    Lock::open(Backend::Port, name).unwrap().holder().unwrap().unwrap().info.unwrap()
}

/// Writes down, when it is dropped, whether the lock is still held.
struct Witness<'a> {
    lock: &'a str,
    value: u32,
    saw: &'a Cell<Option<bool>>,
}

impl Witness<'_> {
    fn value(&self) -> u32 {
        self.value
    }
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        self.saw.set(Some(is_held(self.lock)));
    }
}

mod held {
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
        alone();
        let saw = Cell::new(None);
        let witness = || Witness { lock: NAME, value: 42, saw: &saw };
        for (form, result) in [
            ("plain", plain(witness())),
            ("mutable", mutable(witness())),
            ("ignored", ignored(witness())),
            ("unused", unused(witness())),
            ("half", half((42, witness()))),
            ("by_reference", by_reference(witness())),
        ] {
            assert_eq!(result.unwrap(), 42, "{form}");
        }
        for call in [plain, mutable, ignored, unused, by_reference] {
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
}

mod not_acquired {
    use super::*;

    #[derive(Debug)]
    enum SensorError {
        Busy(LockError),
    }

    impl From<LockError> for SensorError {
        fn from(error: LockError) -> Self {
            Self::Busy(error)
        }
    }

    type Aliased<T> = Result<T, SensorError>;

    #[test]
    fn the_body_does_not_run_and_the_error_is_the_functions_own() {
        const NAME: &str = "attribute-test/busy";
        static RAN: Mutex<u32> = Mutex::new(0);

        macro_rules! body {
            () => {{
                *RAN.lock().unwrap() += 1;
                Ok(())
            }};
        }
        #[interprocess_lock("attribute-test/busy", timeout = "0s")]
        fn io() -> io::Result<()> {
            body!()
        }
        #[interprocess_lock("attribute-test/busy", timeout = "0s")]
        fn any() -> anyhow::Result<()> {
            body!()
        }
        #[interprocess_lock("attribute-test/busy", timeout = "0s")]
        fn own() -> Aliased<()> {
            body!()
        }
        #[interprocess_lock("attribute-test/busy", timeout = "0s")]
        fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
            body!()
        }
        #[interprocess_lock("attribute-test/busy", timeout = "0s", info = "text")]
        fn with_info() -> Result<(), LockError> {
            body!()
        }
        alone();
        while_taken(NAME, || {
            let error = io().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(error.to_string().contains(NAME), "{error}");
            let error = any().unwrap_err();
            assert!(error.downcast_ref::<LockError>().unwrap().is_timeout());
            let SensorError::Busy(error) = own().unwrap_err();
            assert!(error.is_timeout());
            let error = boxed().unwrap_err();
            assert!(error.downcast_ref::<LockError>().unwrap().is_timeout());
            assert!(with_info().unwrap_err().is_timeout());
        });
        assert_eq!(*RAN.lock().unwrap(), 0);

        io().unwrap();
        any().unwrap();
        own().unwrap();
        boxed().unwrap();
        with_info().unwrap();
        assert_eq!(*RAN.lock().unwrap(), 5);
    }

    #[test]
    fn it_waits_for_the_timeout() {
        #[interprocess_lock("attribute-test/timeout", timeout = "80ms")]
        fn briefly() -> Result<(), LockError> {
            Ok(())
        }
        #[interprocess_lock("attribute-test/timeout")]
        fn by_default() -> Result<(), LockError> {
            Ok(())
        }
        alone();
        while_taken("attribute-test/timeout", || {
            for (call, timeout) in [(briefly as fn() -> _, 80), (by_default, 1000)] {
                let start = Instant::now();
                assert!(call().unwrap_err().is_timeout());
                let waited = start.elapsed();
                assert!(waited >= Duration::from_millis(timeout), "{waited:?}");
                // An otherwise busy machine may take its time.
                assert!(waited < Duration::from_millis(timeout + 900), "{waited:?}");
            }
        });
    }

    #[test]
    fn none_waits_for_as_long_as_it_takes() {
        #[interprocess_lock("attribute-test/none", timeout = "none")]
        fn patient() -> Result<(), LockError> {
            Ok(())
        }
        alone();
        let (start, started) = mpsc::channel();
        let waiter = while_taken("attribute-test/none", || {
            let waiter = thread::spawn(move || {
                start.send(()).unwrap();
                patient()
            });
            started.recv().unwrap();
            waiter
        });
        waiter.join().unwrap().unwrap();
    }

    #[test]
    fn a_call_by_the_holder_itself_fails_at_once() {
        #[interprocess_lock("attribute-test/nested", timeout = "none")]
        fn outer() -> Result<(), LockError> {
            inner()
        }
        #[interprocess_lock("attribute-test/nested", timeout = "none")]
        fn inner() -> Result<(), LockError> {
            panic!("the body ran")
        }
        alone();
        assert!(matches!(outer(), Err(LockError::WouldDeadlock { .. })));
    }
}

mod names {
    use super::*;

    const I2C_1: &str = "attribute-test/const";

    mod elsewhere {
        pub(super) const I2C_2: &str = "attribute-test/const elsewhere";
    }

    struct Driver;

    impl Driver {
        const BUS: &'static str = "attribute-test/associated";

        #[interprocess_lock(Driver::BUS)]
        fn read() -> io::Result<bool> {
            Ok(is_held(Self::BUS))
        }
    }

    trait Bus {
        const BUS: &'static str;
    }

    impl Bus for Driver {
        const BUS: &'static str = "attribute-test/trait's";
    }

    #[test]
    fn from_consts() {
        #[interprocess_lock(I2C_1)]
        fn first() -> io::Result<bool> {
            Ok(is_held(I2C_1))
        }
        #[interprocess_lock(elsewhere::I2C_2, timeout = "2s")]
        fn second() -> io::Result<bool> {
            Ok(is_held(elsewhere::I2C_2))
        }
        #[interprocess_lock(<Driver as Bus>::BUS)]
        fn third() -> io::Result<bool> {
            Ok(is_held("attribute-test/trait's"))
        }
        alone();
        assert!(first().unwrap());
        assert!(second().unwrap());
        assert!(third().unwrap());
        assert!(Driver::read().unwrap());
    }

    #[interprocess_lock]
    fn derived() -> io::Result<bool> {
        Ok(is_held(concat!(module_path!(), "::derived")))
    }

    #[interprocess_lock()]
    fn r#match() -> io::Result<bool> {
        Ok(is_held(concat!(module_path!(), "::match")))
    }

    #[interprocess_lock(timeout = "5s")]
    fn derived_with_options() -> io::Result<bool> {
        Ok(is_held(concat!(module_path!(), "::derived_with_options")))
    }

    #[test]
    fn derived_from_the_functions_path() {
        alone();
        assert!(derived().unwrap());
        assert!(r#match().unwrap());
        assert!(derived_with_options().unwrap());
    }

    #[test]
    fn braces_are_doubled() {
        #[interprocess_lock("attribute-test/{{0}}")]
        fn braces() -> io::Result<bool> {
            Ok(is_held("attribute-test/{0}"))
        }
        alone();
        assert!(braces().unwrap());
    }

    /// `tests/ui/name_too_long.rs` and `const_too_long.rs` have 98 bytes.
    #[test]
    fn the_attribute_and_the_runtime_have_one_limit() {
        #[rustfmt::skip]
        #[interprocess_lock("attribute-test/limit/67890123456789012345678901234567890123456789012345678901234567890123")]
        fn longest() -> io::Result<bool> {
            Ok(is_held("attribute-test/limit/67890123456789012345678901234567890123456789012345678901234567890123"))
        }
        let longest_name = "n".repeat(97);
        alone();
        assert!(longest().unwrap());
        assert!(Lock::open(Backend::Port, &longest_name).is_ok());
        assert!(matches!(
            Lock::open(Backend::Port, &(longest_name + "n")),
            Err(LockError::InvalidName { .. })
        ));
    }
}

mod info {
    use super::*;

    #[test]
    fn is_the_place_of_the_call() {
        #[interprocess_lock("attribute-test/call site")]
        fn observed() -> io::Result<String> {
            Ok(info("attribute-test/call site"))
        }
        alone();
        let (first, line) = (observed().unwrap(), line!());
        assert_eq!(first, format!("{}::observed ({}:{line})", module_path!(), file!()));
        let (second, line) = (observed().unwrap(), line!());
        assert_eq!(second, format!("{}::observed ({}:{line})", module_path!(), file!()));
    }

    #[test]
    fn is_the_place_of_the_callers_call_under_track_caller() {
        #[track_caller]
        fn between() -> io::Result<String> {
            observed()
        }
        #[track_caller]
        #[interprocess_lock("attribute-test/track_caller")]
        fn observed() -> io::Result<String> {
            Ok(info("attribute-test/track_caller"))
        }
        alone();
        let (seen, line) = (between().unwrap(), line!());
        assert_eq!(seen, format!("{}::observed ({}:{line})", module_path!(), file!()));
    }

    #[test]
    fn is_the_definitions_place_where_rust_does_not_know_the_caller() {
        const LINE: u32 = line!() + 1;
        #[interprocess_lock("attribute-test/extern")]
        extern "C" fn observed() -> io::Result<String> {
            Ok(info("attribute-test/extern"))
        }
        alone();
        let expected = format!("{}::observed ({}:{LINE})", module_path!(), file!());
        assert_eq!(observed().unwrap(), expected);
    }

    #[test]
    fn is_the_text_given() {
        #[interprocess_lock("attribute-test/info", info = "resets \"bus\" {{1}}")]
        fn observed() -> io::Result<String> {
            Ok(info("attribute-test/info"))
        }
        alone();
        assert_eq!(observed().unwrap(), "resets \"bus\" {1}");
    }

    #[test]
    fn a_text_leaves_panics_at_their_own_place() {
        static SEEN: Mutex<Option<u32>> = Mutex::new(None);
        #[interprocess_lock("attribute-test/info panic", info = "panics")]
        fn panics() -> io::Result<u32> {
            Ok("seven".parse().unwrap()) // LINE
        }
        alone();
        let lines: Vec<_> = include_str!("attribute.rs").lines().collect();
        let expected =
            1 + lines.iter().position(|line| line.ends_with("unwrap()) // LINE")).unwrap();
        let thread = thread::Builder::new().name("panics".to_owned());
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() == Some("panics") {
                *SEEN.lock().unwrap() = panic.location().map(panic::Location::line);
            } else {
                usual(panic);
            }
        }));
        thread.spawn(panics).unwrap().join().unwrap_err();
        assert_eq!(*SEEN.lock().unwrap(), u32::try_from(expected).ok());
    }
}

mod kinds {
    use std::fmt::{Debug, Display};
    use std::pin::Pin;

    use super::*;

    #[derive(Debug)]
    struct Driver<T> {
        value: T,
    }

    trait Sensor {
        fn required(&self) -> io::Result<u32>;

        #[interprocess_lock("attribute-test/kinds")]
        fn provided(&self) -> io::Result<u32> {
            Ok(2)
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn consuming(self) -> io::Result<u32>
        where
            Self: Sized,
        {
            Ok(3)
        }
    }

    impl<T: Copy + Into<u32>> Sensor for Driver<T> {
        #[interprocess_lock("attribute-test/kinds")]
        fn required(&self) -> io::Result<u32> {
            Ok(self.value.into())
        }
    }

    impl<T: Debug> Driver<T> {
        #[interprocess_lock("attribute-test/kinds")]
        fn new(value: T) -> io::Result<Self> {
            Ok(Self { value })
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn borrow(&self) -> io::Result<&T> {
            Ok(&self.value)
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn set(&mut self, value: T) -> io::Result<&mut T> {
            self.value = value;
            Ok(&mut self.value)
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn by_value(self) -> io::Result<T> {
            Ok(self.value)
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn by_mut_value(mut self, value: T) -> io::Result<T> {
            self.value = value;
            Ok(self.value)
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn boxed(self: Box<Self>) -> io::Result<T> {
            Ok(self.value)
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn pinned(self: Pin<&mut Self>) -> io::Result<String> {
            Ok(format!("{:?}", self.value))
        }

        #[interprocess_lock("attribute-test/kinds")]
        fn typed<'a>(self: &'a Self, _other: &T) -> io::Result<&'a T> {
            Ok(&self.value)
        }
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn generic<T, const N: usize>(values: [T; N]) -> io::Result<usize>
    where
        T: Clone + Default,
    {
        Ok(values.to_vec().len())
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn longer<'a>(a: &'a str, b: &'a str) -> io::Result<&'a str> {
        Ok(if a.len() > b.len() { a } else { b })
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn displayed(value: impl Display, mut f: impl FnMut()) -> io::Result<String> {
        f();
        Ok(value.to_string())
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn iterator(limit: u32) -> Result<impl Iterator<Item = u32>, LockError> {
        Ok((0..limit).filter(|n| n % 2 == 0))
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn opaque() -> impl Debug {
        if true {
            return Ok(1);
        }
        Err::<u32, LockError>(Lock::open(Backend::Port, "").unwrap_err())
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn coerced(text: &'static str) -> io::Result<Box<dyn Display>> {
        Ok(Box::new(text))
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn inferred() -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        for text in ["7", "8"] {
            all.push(text.parse().unwrap_or_default());
        }
        Ok(all)
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn diverging() -> io::Result<()> {
        let mut n = 0;
        loop {
            n += 1;
            if n > 3 {
                return Ok(());
            }
        }
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn inner_attributes() -> io::Result<()> {
        #![allow(unused_variables)]
        //! And docs.
        let unused = 1;
        Ok(())
    }

    #[interprocess_lock("attribute-test/kinds")]
    unsafe fn dangerous(pointer: *const u32) -> io::Result<u32> {
        // SAFETY: the caller's promise.
        Ok(unsafe { *pointer })
    }

    #[interprocess_lock("attribute-test/kinds")]
    extern "C" fn foreign(n: u32) -> io::Result<u32> {
        Ok(n)
    }

    #[interprocess_lock("attribute-test/kinds")]
    extern "Rust" fn domestic(n: u32) -> io::Result<u32> {
        Ok(n)
    }

    #[interprocess_lock("attribute-test/kinds")]
    fn configured(
        #[cfg(any())] absent: u32,
        #[cfg(not(any()))] present: u32,
        #[cfg(any())] (a, b): (u32, u32),
        #[allow(unused_variables)] unused: u32,
    ) -> io::Result<u32> {
        Ok(present)
    }

    /// Stacked attributes take their locks from the last to the first.
    #[interprocess_lock("attribute-test/kinds")]
    #[interprocess_lock("attribute-test/kinds too")]
    fn two() -> io::Result<bool> {
        Ok(is_held("attribute-test/kinds") && is_held("attribute-test/kinds too"))
    }

    #[interprocess_lock("attribute-test/kinds")]
    #[test]
    fn over_test() -> io::Result<()> {
        Ok(())
    }

    #[test]
    #[interprocess_lock("attribute-test/kinds")]
    fn under_test() -> io::Result<()> {
        Ok(())
    }

    macro_rules! annotated {
        ($name:literal, $path:path, $timeout:literal, $function:ident, $body:block) => {
            #[interprocess_lock($name, timeout = $timeout)]
            fn $function(_n: u32) -> io::Result<u32> $body

            mod of_const {
                #[lockattr::interprocess_lock($path)]
                pub(super) fn $function(n: u32) -> std::io::Result<u32> {
                    Ok(n)
                }
            }
        };
    }

    const KINDS: &str = "attribute-test/kinds";

    annotated!("attribute-test/kinds", super::KINDS, "5s", from_macro, { Ok(8) });

    #[test]
    fn all_do_as_without_the_attribute() {
        alone();
        let mut driver = Driver::new(1_u8).unwrap();
        assert_eq!(driver.required().unwrap(), 1);
        assert_eq!(driver.provided().unwrap(), 2);
        assert_eq!(*driver.borrow().unwrap(), 1);
        assert_eq!(*driver.set(4).unwrap(), 4);
        assert_eq!(*driver.typed(&0).unwrap(), 4);
        assert_eq!(Pin::new(&mut driver).pinned().unwrap(), "4");
        assert_eq!(driver.consuming().unwrap(), 3);
        assert_eq!(Driver::new(5).unwrap().by_value().unwrap(), 5);
        assert_eq!(Driver::new(5).unwrap().by_mut_value(6).unwrap(), 6);
        assert_eq!(Box::new(Driver { value: 7 }).boxed().unwrap(), 7);
        let sensor: &dyn Sensor = &Driver { value: 9_u8 };
        assert_eq!(sensor.required().unwrap() + sensor.provided().unwrap(), 11);
        assert_eq!(generic([1, 2, 3]).unwrap(), 3);
        assert_eq!(longer("a", "bc").unwrap(), "bc");
        let mut calls = 0;
        assert_eq!(displayed(8, || calls += 1).unwrap(), "8");
        assert_eq!(calls, 1);
        assert_eq!(iterator(5).unwrap().sum::<u32>(), 6);
        assert_eq!(format!("{:?}", opaque()), "Ok(1)");
        assert_eq!(coerced("text").unwrap().to_string(), "text");
        assert_eq!(inferred().unwrap(), [7, 8]);
        diverging().unwrap();
        inner_attributes().unwrap();
        // SAFETY: it points to a number.
        assert_eq!(unsafe { dangerous(&10) }.unwrap(), 10);
        assert_eq!(foreign(11).unwrap(), 11);
        assert_eq!(domestic(12).unwrap(), 12);
        assert_eq!(configured(13, 0).unwrap(), 13);
        assert!(two().unwrap());
        assert_eq!(from_macro(0).unwrap(), 8);
        assert_eq!(of_const::from_macro(14).unwrap(), 14);
    }
}
