//! Generics, and what functions return.

use std::fmt::{Debug, Display};
use std::io::Result;

use shapes::{interprocess_lock, is_held};

use super::name;

const LOCK: &str = name!("shapes-generics");

#[interprocess_lock(LOCK)]
fn bounds<'a, T, U: Clone + Into<String>, const N: usize>(
    values: [T; N],
    text: &'a U,
) -> Result<(usize, &'a U)>
where
    T: Copy,
{
    let _ = values;
    Ok((N, text))
}

#[interprocess_lock(LOCK)]
fn higher_ranked<F>(f: F) -> Result<usize>
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    Ok(f("text").len())
}

#[interprocess_lock(LOCK)]
fn opaque(numbers: Vec<u8>) -> Result<impl Iterator<Item = u8>> {
    assert!(is_held(LOCK));
    Ok(numbers.into_iter().rev())
}

#[interprocess_lock(LOCK)]
fn dynamic(
    value: u8,
) -> std::result::Result<Box<dyn Display>, Box<dyn std::error::Error + Send + Sync>> {
    if value == 0 {
        return Err("zero".into());
    }
    Ok(Box::new(value))
}

#[interprocess_lock(LOCK)]
fn early(values: &[u8]) -> Result<Option<u8>> {
    for value in values {
        if *value > 1 {
            return Ok(Some(*value));
        }
    }
    Ok(None)
}

#[interprocess_lock(LOCK)]
fn question_mark(text: &str) -> std::result::Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    let number: u8 = text.parse()?;
    Ok(number)
}

#[interprocess_lock(LOCK)]
fn labelled_block(n: u8) -> Result<u8> {
    let mut sum = 0;
    'outer: loop {
        loop {
            sum += n;
            if sum > 10 {
                break 'outer;
            }
        }
    }
    Ok(sum)
}

#[interprocess_lock(LOCK, or_else = |_| None)]
fn option<T: Debug + Clone>(value: &T) -> Option<T> {
    Some(value.clone())
}

#[interprocess_lock(LOCK)]
unsafe fn raw_pointer(pointer: *const u8) -> Result<u8> {
    Ok(unsafe { *pointer })
}

#[interprocess_lock(LOCK)]
fn recursive_type(depth: u8) -> Result<Vec<u8>> {
    fn inner(depth: u8) -> Vec<u8> {
        (0..depth).collect()
    }
    Ok(inner(depth))
}

#[test]
fn are_as_without_the_attribute() {
    assert_eq!(bounds([1, 2], &"text").unwrap(), (2, &"text"));
    assert_eq!(higher_ranked(|text| &text[1..]).unwrap(), 3);
    assert_eq!(opaque(vec![1, 2]).unwrap().collect::<Vec<_>>(), [2, 1]);
    assert_eq!(dynamic(1).unwrap().to_string(), "1");
    assert_eq!(dynamic(0).err().unwrap().to_string(), "zero");
    assert_eq!(early(&[1, 2, 3]).unwrap(), Some(2));
    assert_eq!(early(&[]).unwrap(), None);
    assert_eq!(question_mark("7").unwrap(), 7);
    assert!(question_mark("x").is_err());
    assert_eq!(labelled_block(4).unwrap(), 12);
    assert_eq!(option(&1), Some(1));
    // SAFETY: it points to a number.
    assert_eq!(unsafe { raw_pointer(&7) }.unwrap(), 7);
    assert_eq!(recursive_type(2).unwrap(), [0, 1]);
    assert!(!is_held(LOCK));
}
