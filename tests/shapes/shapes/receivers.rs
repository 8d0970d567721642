//! Receivers, and where methods stand.

use std::io::Result;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use shapes::{interprocess_lock, is_held};

use super::name;

const LOCK: &str = name!("shapes-receivers");

#[derive(Clone)]
struct Driver(u8);

#[interprocess_lock(LOCK, reentrant)]
impl Driver {
    fn shared(&self) -> Result<u8> {
        assert!(is_held(LOCK));
        Ok(self.0)
    }

    fn exclusive(&mut self) -> Result<&mut u8> {
        self.0 += self.shared()?;
        Ok(&mut self.0)
    }

    fn value(self) -> Result<u8> {
        Ok(self.0)
    }

    fn mutable_value(mut self) -> Result<Self> {
        self.0 += 1;
        Ok(self)
    }

    fn boxed(self: Box<Self>) -> Result<u8> {
        Ok(self.0)
    }

    fn counted(self: Rc<Self>) -> Result<u8> {
        Ok(self.0)
    }

    fn shared_between_threads(self: &Arc<Self>) -> Result<u8> {
        Ok(self.0)
    }

    fn pinned(self: Pin<&mut Self>) -> Result<u8> {
        Ok(self.0)
    }

    fn named<'a>(self: &'a Self, _: &u8) -> Result<&'a u8> {
        Ok(&self.0)
    }

    fn none(value: u8) -> Result<Self> {
        Ok(Self(value))
    }
}

trait Read {
    type Value;

    fn required(&self) -> Result<Self::Value>;

    #[interprocess_lock(LOCK)]
    fn provided(&self) -> Result<bool> {
        Ok(is_held(LOCK))
    }
}

impl Read for Driver {
    type Value = u8;

    #[interprocess_lock(LOCK)]
    fn required(&self) -> Result<Self::Value> {
        Ok(self.0)
    }
}

#[test]
fn are_as_without_the_attribute() {
    let mut driver = Driver::none(1).unwrap();
    assert_eq!(driver.shared().unwrap(), 1);
    assert_eq!(*driver.exclusive().unwrap(), 2);
    assert_eq!(driver.clone().value().unwrap(), 2);
    assert_eq!(driver.clone().mutable_value().unwrap().0, 3);
    assert_eq!(Box::new(driver.clone()).boxed().unwrap(), 2);
    assert_eq!(Rc::new(driver.clone()).counted().unwrap(), 2);
    assert_eq!(Arc::new(driver.clone()).shared_between_threads().unwrap(), 2);
    assert_eq!(Pin::new(&mut driver).pinned().unwrap(), 2);
    assert_eq!(*driver.named(&0).unwrap(), 2);
    let object: &dyn Read<Value = u8> = &driver;
    assert_eq!(object.required().unwrap(), 2);
    assert!(object.provided().unwrap());
    assert!(!is_held(LOCK));
}
