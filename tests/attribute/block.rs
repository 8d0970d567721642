//! A whole `impl` block.

use std::fmt::Display;

use super::*;

const NAME: &str = "attribute-test/block";

struct Driver<T> {
    value: T,
}

#[interprocess_lock("attribute-test/block", reentrant, timeout = "0s")]
impl<T: Copy + Display> Driver<T> {
    const REGISTERS: usize = 2;

    #[interprocess_lock(skip)]
    const fn new(value: T) -> Self {
        Self { value }
    }

    fn read_all(&mut self) -> Result<Vec<T>, LockError> {
        (0..Self::REGISTERS).map(|register| self.read(register)).collect()
    }

    #[doc = "Helps."]
    fn read(&self, _register: usize) -> Result<T, LockError> {
        assert!(is_held(NAME));
        Ok(self.value)
    }

    #[interprocess_lock("attribute-test/block's other")]
    fn other(&self) -> Result<bool, LockError> {
        Ok(is_held("attribute-test/block's other") && !is_held(NAME))
    }

    #[lockattr::interprocess_lock(skip)]
    fn unlocked(&self) -> bool {
        is_held(NAME)
    }

    fn by_value(self) -> Result<T, LockError> {
        Ok(self.value)
    }

    fn observed() -> Result<(String, u32), LockError> {
        Ok((info(NAME), line!() - 1))
    }
}

#[test]
fn its_methods_take_the_lock_and_may_call_each_other() {
    alone();
    let mut driver = Driver::new(7);
    assert!(!driver.unlocked());
    assert_eq!(driver.read_all().unwrap(), [7, 7]);
    assert!(driver.other().unwrap());
    while_taken(NAME, || {
        assert!(driver.unlocked());
        assert!(driver.read_all().unwrap_err().is_timeout());
        assert!(driver.read(1).unwrap_err().is_timeout());
    });
    assert_eq!(driver.by_value().unwrap(), 7);
    // Each method's own, not the block's.
    let (seen, line) = Driver::<u8>::observed().unwrap();
    assert_eq!(seen, format!("{}::Driver::observed ({}:{line})", module_path!(), file!()));
    assert!(!is_held(NAME));
}

#[test]
fn without_reentrant_a_call_within_fails_at_once() {
    struct Strict;
    #[interprocess_lock("attribute-test/strict", timeout = "none")]
    impl Strict {
        fn outer(&self) -> Result<(), LockError> {
            self.inner()
        }
        fn inner(&self) -> Result<(), LockError> {
            panic!("the body ran")
        }
    }
    alone();
    assert!(matches!(Strict.outer(), Err(LockError::WouldDeadlock { .. })));
}

mod derived {
    use super::*;

    pub(super) struct Sensor<'a>(pub(super) &'a str);

    const NAME: &str = concat!(module_path!(), "::Sensor");

    #[interprocess_lock]
    impl<'a> Sensor<'a> {
        pub(super) fn text(&self) -> io::Result<&'a str> {
            assert!(is_held(NAME));
            Ok(self.0)
        }
        pub(super) fn length(&self) -> io::Result<usize> {
            assert!(is_held(NAME));
            Ok(self.0.len())
        }
    }

    pub(super) trait Read {
        type Value;
        const BITS: u32;
        fn read(&self) -> io::Result<Self::Value>;
        fn provided(&self) -> bool {
            is_held(NAME)
        }
    }

    #[interprocess_lock]
    impl Read for Sensor<'_> {
        type Value = usize;
        const BITS: u32 = 8;

        fn read(&self) -> io::Result<usize> {
            assert!(is_held(NAME));
            Ok(self.0.len())
        }
    }
}

#[test]
fn one_lock_is_derived_for_the_type() {
    use derived::{Read as _, Sensor};
    alone();
    let sensor = Sensor("abc");
    assert_eq!(sensor.text().unwrap(), "abc");
    assert_eq!(sensor.length().unwrap(), 3);
    assert_eq!(sensor.read().unwrap(), 3);
    assert!(!sensor.provided());
    assert_eq!(<Sensor<'_> as derived::Read>::BITS, 8);
}

#[test]
fn a_cfg_attr_is_seen_through() {
    struct Driver;
    #[interprocess_lock("attribute-test/conditional")]
    impl Driver {
        #[cfg_attr(all(), interprocess_lock(skip))]
        fn skipped(&self) -> bool {
            is_held("attribute-test/conditional")
        }
        #[cfg_attr(any(), interprocess_lock(skip))]
        fn not_skipped(&self) -> io::Result<bool> {
            Ok(is_held("attribute-test/conditional"))
        }
        #[cfg_attr(all(), inline, cfg_attr(all(), interprocess_lock("attribute-test/own")))]
        fn own(&self) -> io::Result<bool> {
            Ok(is_held("attribute-test/own") && !is_held("attribute-test/conditional"))
        }
        #[cfg_attr(any(), interprocess_lock("attribute-test/own"))]
        fn not_own(&self) -> io::Result<bool> {
            Ok(!is_held("attribute-test/own") && is_held("attribute-test/conditional"))
        }
    }
    alone();
    assert!(!Driver.skipped());
    assert!(Driver.not_skipped().unwrap());
    assert!(Driver.own().unwrap());
    assert!(Driver.not_own().unwrap());
}

#[test]
fn its_options_are_those_of_each_method() {
    struct Port {
        name: &'static str,
    }
    #[interprocess_lock("attribute-test/{self.name}", timeout = "0s", or_else = |_| None)]
    impl Port {
        fn read(&self) -> Option<bool> {
            Some(is_held("attribute-test/port-1"))
        }
        fn write(&self, _value: u8) -> Option<()> {
            Some(())
        }
    }
    alone();
    let port = Port { name: "port-1" };
    assert_eq!(port.read(), Some(true));
    while_taken("attribute-test/port-1", || {
        assert_eq!(port.read(), None);
        assert_eq!(port.write(1), None);
    });
    assert_eq!(port.write(1), Some(()));
}
