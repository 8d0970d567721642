//! `async fn`, `#[async_trait]`, `#[tokio::test]`, `#[tracing::instrument]`.

use std::future::Future;
use std::mem::size_of_val;
use std::pin::Pin;

use futures_lite::future::{block_on, poll_once};

use super::*;

/// Whether somebody who asks is refused, as another task sees it.
async fn is_held_async(name: &str) -> bool {
    match Lock::open(Backend::Port, name).unwrap().acquire_async(Duration::ZERO).await {
        Ok(_guard) => false,
        Err(error) if error.is_timeout() => true,
        Err(error) => panic!("{error}"),
    }
}

fn send<F: Future + Send>(future: F) -> F {
    future
}

#[interprocess_lock("attribute-test/async", timeout = "2s")]
async fn plain(mut a: u32, (b, _): (u32, u32), text: &str) -> Result<usize, LockError> {
    tokio::task::yield_now().await;
    assert!(is_held_async("attribute-test/async").await);
    a += b;
    if text.is_empty() {
        return Ok(0);
    }
    Ok(a as usize + text.parse::<usize>().unwrap_or_default())
}

#[test]
fn the_lock_is_held_across_awaits() {
    alone();
    assert_eq!(block_on(send(plain(1, (2, 0), "4"))).unwrap(), 7);
    assert_eq!(block_on(send(plain(1, (2, 0), ""))).unwrap(), 0);
    assert!(!is_held("attribute-test/async"));
}

#[test]
fn a_future_that_was_not_polled_holds_nothing_and_a_dropped_one_releases() {
    const NAME: &str = "attribute-test/dropped";
    #[interprocess_lock("attribute-test/dropped")]
    async fn pending(_witness: Witness<'_>) -> Result<(), LockError> {
        std::future::pending().await
    }
    alone();
    let saw = Cell::new(None);
    let witness = || Witness { lock: NAME, value: 0, saw: &saw };
    let mut future = Box::pin(pending(witness()));
    assert!(!is_held(NAME));
    assert!(block_on(poll_once(&mut future)).is_none());
    assert!(is_held(NAME));
    drop(future);
    assert_eq!(saw.take(), Some(true));
    assert!(!is_held(NAME));
    // While it waits.
    while_taken(NAME, || {
        let mut future = Box::pin(pending(witness()));
        assert!(block_on(poll_once(&mut future)).is_none());
    });
    assert!(!is_held(NAME));
}

#[test]
fn it_is_given_back_after_an_error_and_a_panic() {
    const NAME: &str = "attribute-test/async ways";
    #[interprocess_lock("attribute-test/async ways")]
    async fn parse(text: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
        tokio::task::yield_now().await;
        assert!(text != "panic", "as intended");
        Ok(text.parse::<u32>()?)
    }
    alone();
    assert!(block_on(parse("seven")).is_err());
    assert!(!is_held(NAME));
    let panicked = panic::catch_unwind(|| block_on(parse("panic")));
    assert!(panicked.is_err());
    assert!(!is_held(NAME));
    assert_eq!(block_on(parse("7")).unwrap(), 7);
}

#[test]
fn when_it_cannot_be_had_the_body_does_not_run() {
    const NAME: &str = "attribute-test/async busy";
    #[interprocess_lock("attribute-test/async busy", timeout = "20ms")]
    async fn busy() -> io::Result<()> {
        unreachable!("the body ran")
    }
    #[interprocess_lock("attribute-test/async {name}", timeout = "0s", or_else = |_| None)]
    async fn none(name: &str) -> Option<&str> {
        panic!("the body ran with {name}")
    }
    #[interprocess_lock("attribute-test/{name}", or_else = |error| error.to_string())]
    async fn text(name: &str) -> String {
        panic!("the body ran with {name}")
    }
    alone();
    while_taken(NAME, || {
        let start = Instant::now();
        assert_eq!(block_on(busy()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(block_on(none("busy")), None);
    });
    assert!(block_on(text("a\0b")).contains("NUL"));
}

/// `Cell` is not `Sync`: a future that keeps a borrow of it across an await is not `Send`.
#[test]
fn captures_leave_the_future_send() {
    struct Port {
        number: Cell<u8>,
    }
    impl std::fmt::Display for Port {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}", self.number.get())
        }
    }
    #[interprocess_lock(
        ["attribute-test/send {port}", "attribute-test/send other", "attribute-test/{port.number:?}"],
        info = "task {port}",
        on_recover = |_| port.number.set(0),
    )]
    async fn read(port: Port) -> Result<(String, u8), LockError> {
        tokio::task::yield_now().await;
        Ok((info("attribute-test/send 7"), port.number.get()))
    }
    alone();
    let read = || block_on(send(read(Port { number: Cell::new(7) }))).unwrap();
    assert_eq!(read(), ("task 7".to_owned(), 7));
    let lock = Lock::open(Backend::Port, "attribute-test/send other").unwrap();
    lock.try_acquire().unwrap().abandon();
    assert_eq!(read(), ("task 7".to_owned(), 0));
}

#[test]
fn a_hook_that_fails_or_is_not_reached_leaves_the_lock_free() {
    const NAME: &str = "attribute-test/async on_recover";
    #[interprocess_lock(
        "attribute-test/async on_recover",
        timeout = "0s",
        on_recover = |_| Err(std::fmt::Error),
    )]
    async fn read() -> Result<(), Box<dyn Error + Send + Sync>> {
        unreachable!("the body ran")
    }
    alone();
    let open = || Lock::open(Backend::Port, NAME).unwrap().try_acquire().unwrap();
    open().abandon();
    assert!(block_on(send(read())).unwrap_err().is::<std::fmt::Error>());
    // Taken, so that it is free; recovered from, so that the body did not run.
    let guard = open();
    assert!(guard.recovered_from().is_some());
    drop(guard);
    while_taken(NAME, || assert!(block_on(read()).unwrap_err().is::<LockError>()));
}

#[test]
fn info_is_the_functions_own_place() {
    const LINE: u32 = line!() + 2;
    #[interprocess_lock("attribute-test/async info")]
    async fn observed() -> io::Result<String> {
        Ok(info("attribute-test/async info"))
    }
    alone();
    let expected = format!("{}::observed ({}:{LINE})", module_path!(), file!());
    assert_eq!(block_on(observed()).unwrap(), expected);
}

mod in_traits {
    use async_trait::async_trait;

    use super::*;

    #[async_trait]
    trait Sensor {
        async fn read(&mut self, channel: u8) -> io::Result<u32>;

        #[interprocess_lock("attribute-test/async_trait provided")]
        async fn provided(&self) -> io::Result<bool> {
            tokio::task::yield_now().await;
            Ok(is_held_async("attribute-test/async_trait provided").await)
        }
    }

    struct Driver {
        bus: u8,
        value: u32,
    }

    #[async_trait]
    impl Sensor for Driver {
        #[interprocess_lock("attribute-test/async_trait {self.bus}-{channel}", timeout = "0s")]
        async fn read(&mut self, channel: u8) -> io::Result<u32> {
            tokio::task::yield_now().await;
            assert!(is_held_async("attribute-test/async_trait 3-1").await);
            if channel == 9 {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            self.value += 1;
            Ok(self.value)
        }
    }

    struct Whole(u32);

    #[interprocess_lock("attribute-test/async_trait whole")]
    #[async_trait]
    impl Sensor for Whole {
        async fn read(&mut self, channel: u8) -> io::Result<u32> {
            assert!(is_held_async("attribute-test/async_trait whole").await);
            self.0 += u32::from(channel);
            Ok(self.0)
        }
    }

    struct Under(u32);

    #[async_trait]
    #[interprocess_lock("attribute-test/async_trait under {self.0}")]
    impl Sensor for Under {
        async fn read(&mut self, channel: u8) -> io::Result<u32> {
            assert!(is_held_async("attribute-test/async_trait under 5").await);
            self.0 += u32::from(channel);
            Ok(self.0)
        }
    }

    #[test]
    fn async_trait_methods_hold_while_the_future_runs() {
        const NAME: &str = "attribute-test/async_trait 3-1";
        alone();
        let mut driver = Driver { bus: 3, value: 0 };
        let future = send(driver.read(1));
        assert!(!is_held(NAME));
        assert_eq!(block_on(future).unwrap(), 1);
        assert!(!is_held(NAME));
        assert!(block_on(driver.provided()).unwrap());
        while_taken(NAME, || {
            let error = block_on(driver.read(1)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        });
        assert_eq!(driver.value, 1);
        let sensors: [&mut dyn Sensor; 2] = [&mut Whole(5), &mut Under(5)];
        for sensor in sensors {
            assert_eq!(block_on(sensor.read(2)).unwrap(), 7);
        }
    }

    /// Written by hand, it is the same.
    #[interprocess_lock("attribute-test/boxed")]
    fn boxed<'a>(n: &'a u32) -> Pin<Box<dyn Future<Output = io::Result<bool>> + Send + 'a>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(is_held_async("attribute-test/boxed").await && *n == 1)
        })
    }

    #[test]
    fn a_boxed_future_holds_while_it_runs() {
        alone();
        let future = boxed(&1);
        assert!(!is_held("attribute-test/boxed"));
        assert!(block_on(future).unwrap());
    }
}

mod functions_that_return_futures {
    use super::*;

    const NAME: &str = "attribute-test/future";

    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
    type Hidden = BoxFuture<'static, io::Result<bool>>;

    trait Boxes: Future + Send + Sized {
        fn boxed<'a>(self) -> BoxFuture<'a, Self::Output>
        where
            Self: 'a,
        {
            Box::pin(self)
        }
    }

    impl<F: Future + Send> Boxes for F {}

    async fn held() -> io::Result<bool> {
        tokio::task::yield_now().await;
        Ok(is_held_async(NAME).await)
    }

    #[interprocess_lock("attribute-test/future")]
    fn opaque() -> impl Future<Output = io::Result<bool>> + Send {
        async move { held().await }
    }

    #[interprocess_lock("attribute-test/{name}")]
    fn of_arguments(name: &str) -> impl Future<Output = io::Result<bool>> + Send + '_ {
        async move {
            assert_eq!(name, "future");
            held().await
        }
    }

    #[interprocess_lock("attribute-test/future")]
    fn aliased() -> BoxFuture<'static, io::Result<bool>> {
        Box::pin(async { held().await })
    }

    #[interprocess_lock("attribute-test/future")]
    fn hidden() -> Hidden {
        async { held().await }.boxed()
    }

    macro_rules! returning {
        ($name:ident, $type:ty) => {
            #[interprocess_lock("attribute-test/future")]
            fn $name() -> $type {
                Box::pin(async { held().await })
            }
        };
    }

    returning!(of_fragment, Pin<Box<dyn Future<Output = io::Result<bool>> + Send>>);

    #[test]
    fn whose_body_is_an_async_block_hold_while_it_runs() {
        alone();
        let futures =
            [opaque().boxed(), of_arguments("future").boxed(), aliased(), hidden(), of_fragment()];
        assert!(!is_held(NAME));
        for future in futures {
            assert!(block_on(future).unwrap());
        }
        assert!(!is_held(NAME));
    }

    const EAGER: &str = "attribute-test/eager future";

    #[interprocess_lock(EAGER, eager, or_else = |_| Box::pin(async { Ok(true) }))]
    fn eager() -> BoxFuture<'static, io::Result<bool>> {
        assert!(is_held(EAGER));
        Box::pin(async {
            tokio::task::yield_now().await;
            Ok(is_held_async(EAGER).await)
        })
    }

    #[test]
    fn that_are_eager_hold_while_it_is_made() {
        alone();
        assert!(!block_on(eager()).unwrap());
    }
}

/// Arguments that are plain values stay where they are: to move them would be room for a second copy.
#[test]
fn a_future_has_no_second_copy_of_plain_arguments() {
    async fn without(block: [u8; 8192], pair: (u64, &str)) -> io::Result<usize> {
        tokio::task::yield_now().await;
        Ok(block.len() + pair.1.len())
    }
    #[interprocess_lock("attribute-test/size")]
    async fn with(block: [u8; 8192], pair: (u64, &str)) -> io::Result<usize> {
        tokio::task::yield_now().await;
        Ok(block.len() + pair.1.len())
    }
    let pair = (1, "text");
    let (without, with) = (without([0; 8192], pair), with([0; 8192], pair));
    let sizes = (size_of_val(&without), size_of_val(&with));
    assert!(sizes.1 < sizes.0 + 4096, "{sizes:?}");
    alone();
    assert_eq!(block_on(with).unwrap(), 8196);
}

mod among_other_attributes {
    use super::*;

    #[tokio::test]
    #[interprocess_lock("attribute-test/tokio above", timeout = "10s")]
    async fn under_tokio_test() -> io::Result<()> {
        tokio::task::yield_now().await;
        assert!(is_held("attribute-test/tokio above"));
        Ok(())
    }

    #[interprocess_lock("attribute-test/tokio below", timeout = "10s")]
    #[tokio::test(flavor = "multi_thread")]
    async fn over_tokio_test() -> io::Result<()> {
        tokio::task::yield_now().await;
        assert!(is_held_async("attribute-test/tokio below").await);
        Ok(())
    }

    #[tracing::instrument]
    #[interprocess_lock("attribute-test/instrument {n}")]
    async fn under_instrument(n: u32) -> io::Result<bool> {
        Ok(is_held_async("attribute-test/instrument 1").await)
    }

    #[interprocess_lock("attribute-test/instrument {n}")]
    #[tracing::instrument]
    async fn over_instrument(n: u32) -> io::Result<bool> {
        tokio::task::yield_now().await;
        Ok(is_held_async("attribute-test/instrument 1").await)
    }

    #[tracing::instrument(skip(_pair), err)]
    #[interprocess_lock("attribute-test/instrument")]
    fn blocking_under(_pair: (u32, u32)) -> io::Result<bool> {
        Ok(is_held("attribute-test/instrument"))
    }

    #[interprocess_lock("attribute-test/instrument")]
    #[tracing::instrument]
    fn blocking_over(n: u32) -> io::Result<bool> {
        Ok(is_held("attribute-test/instrument") && n == 1)
    }

    #[test]
    fn instrument_above_and_below() {
        alone();
        assert!(block_on(send(under_instrument(1))).unwrap());
        assert!(block_on(send(over_instrument(1))).unwrap());
        assert!(blocking_under((1, 2)).unwrap());
        assert!(blocking_over(1).unwrap());
    }
}
