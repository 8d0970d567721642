//! Beside the macros of others: the attribute last, directly above `fn`, except above `#[ext]`.

use std::io::Result;

use shapes::{interprocess_lock, is_held};

use super::name;

mod auto_impls {
    use super::*;

    const LOCK: &str = name!("shapes-auto_impl");

    #[auto_impl::auto_impl(&, Box)]
    trait Read {
        #[auto_impl(keep_default_for(&, Box))]
        #[interprocess_lock(LOCK)]
        fn read(&self) -> Result<bool> {
            Ok(is_held(LOCK))
        }
        fn other(&self) -> u8;
    }

    struct Driver;

    impl Read for Driver {
        fn other(&self) -> u8 {
            1
        }
    }

    #[test]
    fn keep_the_attribute_on_a_provided_method() {
        assert!(Driver.read().unwrap());
        assert!(Read::read(&&Driver).unwrap());
        assert_eq!(Read::other(&Box::new(Driver)), 1);
    }
}

mod contracts_of_functions {
    use super::*;

    const LOCK: &str = name!("shapes-contracts");

    #[contracts::requires(n > 0)]
    #[contracts::ensures(ret.is_ok())]
    #[interprocess_lock(LOCK)]
    fn under(n: u8) -> Result<bool> {
        Ok(is_held(LOCK))
    }

    #[interprocess_lock(LOCK)]
    #[contracts::requires(n > 0)]
    fn over(n: u8) -> Result<bool> {
        Ok(is_held(LOCK))
    }

    #[test]
    fn are_checked() {
        assert!(under(1).unwrap());
        assert!(over(1).unwrap());
        assert!(std::panic::catch_unwind(|| under(0)).is_err());
        assert!(std::panic::catch_unwind(|| over(0)).is_err());
        assert!(!is_held(LOCK));
    }
}

mod delegation {
    use super::*;

    const LOCK: &str = name!("shapes-delegate");

    struct Inner(u8);

    impl Inner {
        #[interprocess_lock(LOCK)]
        fn read(&self) -> Result<u8> {
            assert!(is_held(LOCK));
            Ok(self.0)
        }
    }

    struct Outer {
        inner: Inner,
    }

    impl Outer {
        delegate::delegate! {
            to self.inner {
                fn read(&self) -> Result<u8>;
            }
        }
    }

    #[test]
    fn leads_to_the_annotated_method() {
        assert_eq!(Outer { inner: Inner(7) }.read().unwrap(), 7);
    }
}

mod extensions {
    use super::*;

    const LOCK: &str = name!("shapes-easy_ext");

    #[interprocess_lock(LOCK)]
    #[easy_ext::ext(ReadExt)]
    impl u8 {
        fn read_locked(&self) -> Result<u8> {
            assert!(is_held(LOCK));
            Ok(*self)
        }
    }

    #[test]
    fn are_whole_blocks() {
        assert_eq!(7_u8.read_locked().unwrap(), 7);
    }
}

mod maybe_asyncs {
    use super::*;

    const LOCK: &str = name!("shapes-maybe_async");

    struct Driver;

    #[interprocess_lock(LOCK)]
    impl Driver {
        #[maybe_async::maybe_async]
        async fn read(&self) -> Result<bool> {
            Ok(is_held(LOCK))
        }
    }

    #[test]
    fn lose_async_before_a_block_locks_them() {
        assert!(Driver.read().unwrap());
    }
}

mod mocks {
    use super::*;

    const LOCK: &str = name!("shapes-mockall");

    #[mockall::automock]
    trait Bus {
        fn read(&self) -> Result<u8>;
    }

    struct Driver<B>(B);

    #[interprocess_lock(LOCK)]
    impl<B: Bus> Driver<B> {
        fn read(&self) -> Result<u8> {
            assert!(is_held(LOCK));
            self.0.read()
        }
    }

    #[test]
    fn stand_under_annotated_drivers() {
        let mut bus = MockBus::new();
        bus.expect_read().returning(|| Ok(7));
        assert_eq!(Driver(bus).read().unwrap(), 7);
    }
}

mod parametrised {
    use rstest::{fixture, rstest};
    use test_case::test_case;

    use super::*;

    const LOCK: &str = name!("shapes-parametrised");

    #[fixture]
    fn value() -> String {
        "fixture".to_owned()
    }

    const LOCK_OF_FIXTURE: &str = name!("shapes-fixture");

    #[interprocess_lock(LOCK_OF_FIXTURE, timeout = "10s")]
    #[fixture]
    fn locked(#[default(7)] n: u8, value: String) -> Result<(u8, usize, bool)> {
        Ok((n, value.len(), is_held(LOCK_OF_FIXTURE)))
    }

    #[rstest]
    fn from_an_annotated_fixture(locked: Result<(u8, usize, bool)>) {
        assert_eq!(locked.unwrap(), (7, 7, true));
        assert!(!is_held(LOCK_OF_FIXTURE));
    }

    #[rstest]
    #[case(1, "a")]
    #[case(2, "ab")]
    #[interprocess_lock(LOCK, timeout = "10s")]
    fn by_rstest(#[case] n: usize, #[case] text: &str, value: String) -> Result<()> {
        assert!(is_held(LOCK));
        assert_eq!((text.len(), value.len()), (n, 7));
        Ok(())
    }

    #[test_case(1, "a" ; "one")]
    #[test_case(2, "ab" ; "two")]
    #[interprocess_lock(LOCK, timeout = "10s")]
    fn by_test_case(n: usize, text: &str) -> Result<()> {
        assert!(is_held(LOCK));
        assert_eq!(text.len(), n);
        Ok(())
    }
}

mod instrumented {
    use super::*;

    const LOCK: &str = name!("shapes-instrument");

    #[tracing::instrument(skip(_name), err, fields(n = n))]
    #[interprocess_lock(LOCK)]
    fn under(n: u8, (_name, m): (String, u8)) -> Result<u8> {
        assert!(is_held(LOCK));
        Ok(n + m)
    }

    #[interprocess_lock(LOCK)]
    #[tracing::instrument(ret)]
    fn over(n: u8, names: Vec<String>) -> Result<(usize, bool)> {
        Ok((names.len() + usize::from(n), is_held(LOCK)))
    }

    #[tracing::instrument]
    #[interprocess_lock(LOCK)]
    async fn future_under(n: u8, name: String) -> Result<usize> {
        futures_lite::future::yield_now().await;
        assert!(is_held(LOCK));
        Ok(name.len() + usize::from(n))
    }

    #[interprocess_lock(LOCK)]
    #[tracing::instrument]
    async fn future_over(n: u8, name: String) -> Result<(usize, bool)> {
        futures_lite::future::yield_now().await;
        Ok((name.len() + usize::from(n), is_held(LOCK)))
    }

    #[test]
    fn in_both_orders() {
        use futures_lite::future::block_on;

        assert_eq!(under(1, ("a".to_owned(), 2)).unwrap(), 3);
        assert_eq!(over(1, vec![]).unwrap(), (1, true));
        assert_eq!(block_on(future_under(1, "a".to_owned())).unwrap(), 2);
        assert_eq!(block_on(future_over(1, "a".to_owned())).unwrap(), (2, true));
    }
}
