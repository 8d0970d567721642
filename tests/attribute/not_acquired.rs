//! What a function does without the lock.

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
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
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
