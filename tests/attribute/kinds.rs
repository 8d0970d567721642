//! Every kind of function.

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
