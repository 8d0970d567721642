//! A panic that leaves the body, and a record that cannot be had: what `on_recover` makes of them.

use lockattr::{Holder, Tenure};

use super::*;

#[test]
fn a_panic_that_leaves_the_body_is_told_to_the_next_holder_where_there_is_an_on_recover() {
    static TOLD: Mutex<Vec<Tenure>> = Mutex::new(Vec::new());
    #[interprocess_lock("attribute-test/panic", on_recover = |last| {
        TOLD.lock().unwrap().push(last.tenure);
    })]
    fn write(panics: bool) -> io::Result<()> {
        assert!(!panics, "as intended");
        Ok(())
    }
    alone();
    write(false).unwrap();
    assert!(panic::catch_unwind(|| write(true)).is_err());
    write(false).unwrap();
    write(false).unwrap();
    assert_eq!(*TOLD.lock().unwrap(), [Tenure::Abandoned]);
}

#[test]
#[cfg(target_env = "gnu")] // it does not compile elsewhere
fn so_it_is_with_a_semaphore() {
    static TOLD: Mutex<Vec<Tenure>> = Mutex::new(Vec::new());
    #[interprocess_lock("attribute-test.panic", backend = "semaphore", on_recover = |last| {
        TOLD.lock().unwrap().push(last.tenure);
    })]
    fn write(panics: bool) -> io::Result<()> {
        assert!(!panics, "as intended");
        Ok(())
    }
    alone();
    let _ = write(false);
    TOLD.lock().unwrap().clear();
    assert!(panic::catch_unwind(|| write(true)).is_err());
    write(false).unwrap();
    write(false).unwrap();
    assert_eq!(*TOLD.lock().unwrap(), [Tenure::Abandoned]);
    for file in ["/dev/shm/attribute-test.panic", "/dev/shm/sem.attribute-test.panic"] {
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn without_an_on_recover_a_panic_gives_the_lock_back_like_any_other_end() {
    const NAME: &str = "attribute-test/panic alone";
    #[interprocess_lock("attribute-test/panic alone")]
    fn write() -> io::Result<()> {
        panic!("as intended")
    }
    alone();
    assert!(panic::catch_unwind(write).is_err());
    assert!(!was_abandoned(NAME));
}

#[test]
fn a_panic_that_began_before_does_not_count() {
    const NAME: &str = "attribute-test/panic before";
    #[interprocess_lock("attribute-test/panic before", on_recover = |_: &Holder| {})]
    fn tidy() -> io::Result<()> {
        assert!(thread::panicking());
        Ok(())
    }
    struct Tidies;
    impl Drop for Tidies {
        fn drop(&mut self) {
            tidy().unwrap();
        }
    }
    alone();
    let outcome = panic::catch_unwind(|| {
        let _tidies = Tidies;
        panic!("as intended");
    });
    assert!(outcome.is_err());
    assert!(!was_abandoned(NAME));
}

#[test]
fn a_caught_panic_of_a_nested_call_is_told_after_the_outermost() {
    const NAME: &str = "attribute-test/panic nested";
    #[interprocess_lock("attribute-test/panic nested", reentrant, on_recover = |_: &Holder| {})]
    fn write(nested: bool) -> io::Result<()> {
        assert!(!nested, "as intended");
        assert!(panic::catch_unwind(|| write(true)).is_err());
        Ok(())
    }
    alone();
    write(false).unwrap();
    assert!(was_abandoned(NAME));
}

#[cfg(feature = "async")]
#[test]
fn a_panic_in_a_task_counts_too() {
    const NAME: &str = "attribute-test/panic task";
    #[interprocess_lock("attribute-test/panic task", on_recover = |_: &Holder| {})]
    async fn write() -> io::Result<()> {
        panic!("as intended")
    }
    alone();
    let run = || futures_lite::future::block_on(write());
    assert!(panic::catch_unwind(run).is_err());
    assert!(was_abandoned(NAME));
}

/// Nobody would be told of a death: that is no time to run the body and hope.
#[test]
fn without_a_record_an_on_recover_is_an_error() {
    const NAME: &str = "attribute-test.unrecorded";
    #[interprocess_lock("attribute-test.unrecorded", on_recover = |_: &Holder| {})]
    fn write() -> io::Result<()> {
        panic!("the body ran")
    }
    #[interprocess_lock("attribute-test.unrecorded")]
    fn read() -> io::Result<()> {
        Ok(())
    }
    alone();
    let record = format!("/dev/shm/lockattr.{}.{NAME}", nix::unistd::geteuid());
    // Also what a run has left that was killed.
    let _ = std::fs::remove_file(&record).or_else(|_| std::fs::remove_dir(&record));
    std::fs::create_dir(&record).unwrap();
    let error = write().unwrap_err();
    assert!(error.to_string().contains("cannot write the lock's record"), "{error}");
    assert!(!is_held(NAME));
    read().unwrap();
    std::fs::remove_dir(record).unwrap();
}
