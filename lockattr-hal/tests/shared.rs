//! Each call holds the lock, once, and fails without it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use embedded_hal::{i2c, spi};
use lockattr_hal::{Error, Lock, LockError, Shared};

/// A bus that writes down what was called, and whether `lock` was held then.
struct Recorder {
    lock: &'static Lock,
    calls: Rc<RefCell<Vec<&'static str>>>,
}

impl Recorder {
    fn new(lock: &'static Lock) -> (Shared<Self>, Rc<RefCell<Vec<&'static str>>>) {
        let calls = Rc::default();
        let bus = Self { lock, calls: Rc::clone(&calls) };
        (Shared::new(bus, lock).timeout(Duration::from_millis(20)), calls)
    }

    fn record(&mut self, call: &'static str) {
        assert!(self.lock.is_held_by_thread(), "{call}");
        // Others are told the driver's own place.
        let place = self.lock.holder().unwrap().and_then(|holder| holder.info).unwrap();
        assert!(place.contains("tests/shared.rs"), "{call}: {place}");
        self.calls.borrow_mut().push(call);
    }
}

/// The lock's record goes with the test.
struct Clean(&'static Lock);

impl Drop for Clean {
    fn drop(&mut self) {
        self.0.remove_files().unwrap();
    }
}

mod bus {
    use super::{i2c, Infallible, Recorder};

    impl i2c::ErrorType for Recorder {
        type Error = Infallible;
    }

    impl i2c::I2c for Recorder {
        fn transaction(&mut self, _: u8, _: &mut [i2c::Operation<'_>]) -> Result<(), Self::Error> {
            self.record("transaction");
            Ok(())
        }

        fn read(&mut self, _: u8, _: &mut [u8]) -> Result<(), Self::Error> {
            self.record("read");
            Ok(())
        }

        fn write(&mut self, _: u8, _: &[u8]) -> Result<(), Self::Error> {
            self.record("write");
            Ok(())
        }

        fn write_read(&mut self, _: u8, _: &[u8], _: &mut [u8]) -> Result<(), Self::Error> {
            self.record("write_read");
            Ok(())
        }
    }
}

mod device {
    use super::{spi, Infallible, Recorder};

    impl spi::ErrorType for Recorder {
        type Error = Infallible;
    }

    impl spi::SpiDevice for Recorder {
        fn transaction(&mut self, _: &mut [spi::Operation<'_, u8>]) -> Result<(), Self::Error> {
            self.record("transaction");
            Ok(())
        }

        fn read(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            self.record("read");
            Ok(())
        }

        fn write(&mut self, _: &[u8]) -> Result<(), Self::Error> {
            self.record("write");
            Ok(())
        }

        fn transfer(&mut self, _: &mut [u8], _: &[u8]) -> Result<(), Self::Error> {
            self.record("transfer");
            Ok(())
        }

        fn transfer_in_place(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            self.record("transfer_in_place");
            Ok(())
        }
    }
}

#[test]
fn each_call_of_an_i2c_bus_holds_the_lock_and_is_passed_on_as_it_is() {
    use i2c::I2c as _;
    static LOCK: Lock = Lock::port("lockattr-test-hal-i2c");
    let _clean = Clean(&LOCK);
    let (mut bus, calls) = Recorder::new(&LOCK);
    bus.transaction(1, &mut []).unwrap();
    bus.read(1, &mut []).unwrap();
    bus.write(1, &[]).unwrap();
    bus.write_read(1, &[], &mut []).unwrap();
    assert_eq!(*calls.borrow(), ["transaction", "read", "write", "write_read"]);
    assert!(!LOCK.is_locked().unwrap());
}

#[test]
fn each_call_of_an_spi_device_holds_the_lock_and_is_passed_on_as_it_is() {
    use spi::SpiDevice as _;
    static LOCK: Lock = Lock::port("lockattr-test-hal-spi");
    let _clean = Clean(&LOCK);
    let (mut device, calls) = Recorder::new(&LOCK);
    device.transaction(&mut []).unwrap();
    device.read(&mut []).unwrap();
    device.write(&[]).unwrap();
    device.transfer(&mut [], &[]).unwrap();
    device.transfer_in_place(&mut []).unwrap();
    assert_eq!(*calls.borrow(), ["transaction", "read", "write", "transfer", "transfer_in_place"]);
    assert!(!LOCK.is_locked().unwrap());
}

#[test]
fn a_thread_that_holds_the_lock_for_a_sequence_enters_again_and_keeps_it() {
    use i2c::I2c as _;
    static LOCK: Lock = Lock::port("lockattr-test-hal-sequence");
    let _clean = Clean(&LOCK);
    let (mut bus, calls) = Recorder::new(&LOCK);
    let sequence = LOCK.try_acquire().unwrap();
    bus.write(1, &[]).unwrap();
    bus.read(1, &mut []).unwrap();
    assert!(LOCK.is_held_by_thread());
    drop(sequence);
    assert_eq!(calls.borrow().len(), 2);
    assert!(!LOCK.is_locked().unwrap());
}

#[test]
fn without_the_lock_nothing_is_sent() {
    use i2c::{Error as _, I2c as _};
    static LOCK: Lock = Lock::port("lockattr-test-hal-busy");
    let _clean = Clean(&LOCK);
    let _held = LOCK.try_acquire().unwrap();
    thread::spawn(|| {
        let (mut bus, calls) = Recorder::new(&LOCK);
        let error = bus.write(1, &[]).unwrap_err();
        assert!(matches!(error, Error::Lock(LockError::Timeout { .. })), "{error}");
        assert_eq!(error.kind(), i2c::ErrorKind::Other);
        assert!(calls.borrow().is_empty());
    })
    .join()
    .unwrap();
}
