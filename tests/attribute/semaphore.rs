//! The same attribute with `backend = "semaphore"`.

use super::*;

const NAME: &str = "attribute-test.semaphore";

/// Whether the lock is taken, as another thread sees it.
fn is_held(name: &str) -> bool {
    let probe = || match Lock::open(Backend::Semaphore, name).unwrap().try_acquire() {
        Ok(_guard) => false,
        Err(error) if error.is_timeout() => true,
        Err(error) => panic!("{error}"),
    };
    thread::scope(|scope| scope.spawn(probe).join().unwrap())
}

#[interprocess_lock(NAME, backend = "semaphore", timeout = "0s")]
fn run<R>(
    body: impl FnOnce() -> Result<R, Box<dyn Error + Send + Sync>>,
) -> Result<R, Box<dyn Error + Send + Sync>> {
    assert!(is_held(NAME));
    body()
}

#[test]
fn the_lock_is_held_in_the_body_and_given_back_on_every_way_out() {
    alone();
    assert_eq!(run(|| Ok(1)).unwrap(), 1);
    assert!(!is_held(NAME));
    assert!(run(|| Err::<(), _>("no".into())).is_err());
    assert!(!is_held(NAME));
    assert!(panic::catch_unwind(|| run(|| -> Result<(), _> { panic!("in the body") })).is_err());
    assert!(!is_held(NAME));

    let guard =
        Lock::semaphore(NAME).with().timeout(Duration::ZERO).info("by hand").acquire().unwrap();
    let refused = thread::scope(|scope| scope.spawn(|| run(|| Ok(2))).join().unwrap());
    let error = refused.unwrap_err();
    let error = error.downcast_ref::<LockError>().unwrap();
    assert!(error.is_timeout() && error.to_string().ends_with(" in by hand"), "{error}");
    drop(guard);
}

#[test]
fn the_call_site_is_in_resourcelocks_text() {
    const NAME: &str = "attribute-test.semaphore-text";
    #[interprocess_lock("attribute-test.semaphore-text", backend = "semaphore", mode = 0o644)]
    fn text() -> io::Result<Vec<u8>> {
        std::fs::read(format!("/dev/shm/{NAME}"))
    }
    alone();
    let text = text().unwrap();
    let text = String::from_utf8_lossy(text.split(|byte| *byte == 0).next().unwrap()).into_owned();
    let (time, site) = text.split_once(" - ").unwrap();
    assert_eq!(time.len(), "2024-10-20 16:00:51.864484".len());
    assert!(site.starts_with("attribute::semaphore::text (") && site.contains(file!()), "{site}");
}

#[test]
fn a_name_from_arguments_is_checked_by_the_semaphores_rules() {
    #[interprocess_lock("{name}", backend = "semaphore")]
    fn named(name: &str) -> Result<bool, LockError> {
        Ok(is_held(name))
    }
    alone();
    assert!(named("attribute-test.semaphore-named").unwrap());
    let long = "attribute-test.semaphore-long".repeat(4);
    assert!(named(&long).unwrap());
    std::fs::remove_file(format!("/dev/shm/{long}")).unwrap();
    std::fs::remove_file(format!("/dev/shm/sem.{long}")).unwrap();
    for name in ["", "bus/1", "..", "sem.x", "a\0b", &"n".repeat(251)] {
        assert!(matches!(named(name), Err(LockError::InvalidName { .. })), "{name}");
    }
}

#[test]
fn one_name_under_two_backends_excludes_nobody_and_says_so() {
    #[interprocess_lock("attribute-test.two-backends", backend = "semaphore")]
    fn semaphore() -> Result<(), LockError> {
        port()
    }
    #[interprocess_lock("attribute-test.two-backends")]
    fn port() -> Result<(), LockError> {
        Ok(())
    }
    alone();
    let error = semaphore().unwrap_err();
    assert!(matches!(error, LockError::BackendMismatch { .. }), "{error}");
    assert!(error.to_string().contains("asked for with the port backend"), "{error}");
}

#[test]
fn several_reentrant_and_recovered() {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    #[interprocess_lock(
        ["attribute-test.semaphore-b", "attribute-test.semaphore-a"],
        backend = "semaphore",
        reentrant,
        on_recover = |dead| TOLD.lock().unwrap().push(dead.info.clone().unwrap_or_default())
    )]
    fn both(depth: u32) -> Result<u32, LockError> {
        assert!(is_held("attribute-test.semaphore-a") && is_held("attribute-test.semaphore-b"));
        Ok(if depth == 0 { 0 } else { both(depth - 1)? + 1 })
    }
    alone();
    let lock = Lock::semaphore("attribute-test.semaphore-b");
    lock.with().timeout(Duration::from_secs(5)).info("left in a mess").acquire().unwrap().abandon();
    assert_eq!(both(2).unwrap(), 2);
    assert_eq!(*TOLD.lock().unwrap(), ["left in a mess"]);
    assert!(!is_held("attribute-test.semaphore-a") && !is_held("attribute-test.semaphore-b"));
}

struct Adc;

#[interprocess_lock(backend = "semaphore", mode = 0o666, or_else = |_| None)]
impl Adc {
    fn read(&self) -> Option<u8> {
        is_held("attribute::semaphore::Adc").then_some(7)
    }
}

#[test]
fn a_block_has_a_derived_name() {
    alone();
    assert_eq!(Adc.read(), Some(7));
    let _guard = Lock::semaphore("attribute::semaphore::Adc").acquire(Duration::ZERO).unwrap();
    assert_eq!(Adc.read(), None);
}

#[cfg(feature = "async")]
#[test]
fn a_task_waits_and_gives_back() {
    const NAME: &str = "attribute-test.semaphore-task";
    #[interprocess_lock("attribute-test.semaphore-task", backend = "semaphore", timeout = "5s")]
    async fn task() -> Result<bool, LockError> {
        futures_lite::future::yield_now().await;
        Ok(is_held(NAME))
    }
    alone();
    let guard = Lock::semaphore(NAME).acquire(Duration::from_secs(5)).unwrap();
    let mut waiting = std::pin::pin!(task());
    assert!(futures_lite::future::block_on(futures_lite::future::poll_once(&mut waiting)).is_none());
    thread::spawn(|| drop(guard));
    assert!(futures_lite::future::block_on(waiting).unwrap());
    assert!(!is_held(NAME));
}
