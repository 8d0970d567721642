//! Patterns of parameters.

use std::io::Result;

use shapes::{interprocess_lock, is_held};

use super::name;

const LOCK: &str = name!("shapes-patterns");

#[derive(Clone)]
struct Pair {
    left: String,
    right: (String, u8),
}

struct Wrapped<T>(T);

enum Only {
    One(String),
}

#[interprocess_lock(LOCK)]
fn tuple((a, _): (String, String), (b, c): (u8, u8)) -> Result<String> {
    assert!(is_held(LOCK));
    Ok(format!("{}{}{}", a, b, c))
}

#[interprocess_lock(LOCK)]
fn structure(
    Pair { left, right: (_, n) }: Pair,
    Wrapped(inner): Wrapped<String>,
) -> Result<String> {
    Ok(format!("{}{}{}", left, n, inner))
}

#[interprocess_lock(LOCK)]
fn by_reference(ref a: String, ref mut b: String, &(ref c, d): &(String, u8)) -> Result<String> {
    b.push_str(a);
    Ok(format!("{}{}{}", b, c, d))
}

#[interprocess_lock(LOCK)]
fn mutable(
    mut a: String,
    (mut b, _): (String, u8),
    Pair { left: ref mut c, .. }: Pair,
) -> Result<String> {
    a.push('!');
    b.push('?');
    c.push('.');
    Ok(a + &b + c)
}

#[interprocess_lock(LOCK)]
fn with_subpattern(whole @ Pair { .. }: Pair, numbers @ [first, ..]: [u8; 3]) -> Result<String> {
    Ok(format!("{}{}{}", whole.left, numbers.len(), first))
}

#[interprocess_lock(LOCK)]
fn of_a_slice([first, .., last]: [String; 3], Only::One(only): Only) -> Result<String> {
    Ok(first + &last + &only)
}

#[interprocess_lock(LOCK)]
fn ignored(_: String, _unused: String, _also_unused: &str, _: u8) -> Result<()> {
    assert!(is_held(LOCK));
    Ok(())
}

#[interprocess_lock(LOCK)]
fn raw(r#type: String, r#match: u8) -> Result<String> {
    Ok(format!("{}{}", r#type, r#match))
}

#[interprocess_lock(LOCK)]
fn function_pointers(f: fn(u8) -> u8, g: impl Fn(u8) -> u8, h: &dyn Fn(u8) -> u8) -> Result<u8> {
    Ok(f(1) + g(1) + h(1))
}

#[interprocess_lock(LOCK)]
fn unsized_behind_pointers(text: &str, bytes: &mut [u8], boxed: Box<[u8]>) -> Result<usize> {
    bytes.reverse();
    Ok(text.len() + bytes.len() + boxed.len())
}

#[test]
fn are_taken_apart_as_without_the_attribute() {
    let pair = || Pair { left: "l".to_owned(), right: ("r".to_owned(), 2) };
    let text = |text: &str| text.to_owned();
    assert_eq!(tuple((text("a"), text("b")), (1, 2)).unwrap(), "a12");
    assert_eq!(structure(pair(), Wrapped(text("w"))).unwrap(), "l2w");
    assert_eq!(pair().right.0, "r");
    assert_eq!(by_reference(text("a"), text("b"), &(text("c"), 4)).unwrap(), "bac4");
    assert_eq!(mutable(text("a"), (text("b"), 0), pair()).unwrap(), "a!b?l.");
    assert_eq!(with_subpattern(pair(), [7, 8, 9]).unwrap(), "l37");
    assert_eq!(of_a_slice([text("a"), text("b"), text("c")], Only::One(text("o"))).unwrap(), "aco");
    ignored(text("a"), text("b"), "c", 1).unwrap();
    assert_eq!(raw(text("t"), 1).unwrap(), "t1");
    assert_eq!(function_pointers(|n| n, |n| n + 1, &|n| n + 2).unwrap(), 6);
    assert_eq!(unsized_behind_pointers("a", &mut [1, 2], vec![3].into_boxed_slice()).unwrap(), 4);
    assert!(!is_held(LOCK));
}
