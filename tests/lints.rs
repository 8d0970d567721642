//! A crate that denies every warning can use the attribute. Meant for `cargo clippy --tests`.

#![deny(warnings, unused, missing_docs, clippy::all, clippy::pedantic)]
#![deny(
    let_underscore_drop,
    missing_debug_implementations,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_code,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(
    clippy::allow_attributes,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::panic,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::significant_drop_in_scrutinee,
    clippy::single_char_lifetime_names,
    clippy::std_instead_of_core,
    clippy::unwrap_used
)]
#![forbid(unsafe_code)]

use std::io;

use lockattr::interprocess_lock;

/// A driver with a method of each kind.
#[derive(Debug)]
pub struct Driver {
    value: u32,
}

/// The driver's lock.
pub const BUS: &str = "lints-test/bus";

impl Driver {
    /// Reads the value.
    ///
    /// # Errors
    /// If the lock cannot be had.
    #[interprocess_lock("lints-test/bus", timeout = "2s")]
    pub fn read(&self) -> io::Result<u32> {
        Ok(self.value)
    }

    /// Adds to the value.
    ///
    /// # Errors
    /// If the lock cannot be had.
    #[interprocess_lock(BUS, info = "adds")]
    pub fn add(&mut self, first: u32, mut second: u32, (third, _): (u32, u32)) -> io::Result<()> {
        second += first;
        self.value += second + third;
        Ok(())
    }

    /// Gives the value back.
    ///
    /// # Errors
    /// If the lock cannot be had.
    #[interprocess_lock]
    pub fn into_value(self, _unused: u32, _: u32, nothing: ()) -> io::Result<(u32, ())> {
        Ok((self.value, nothing))
    }

    /// Always fails.
    ///
    /// # Errors
    /// Always.
    #[interprocess_lock("lints-test/bus")]
    pub fn fail(&self, text: &str) -> io::Result<()> {
        Err(io::Error::other(format!("{text}{}", self.value)))
    }

    /// Never comes back.
    ///
    /// # Errors
    /// If the lock cannot be had.
    #[interprocess_lock("lints-test/bus")]
    pub fn run(&self) -> io::Result<()> {
        loop {
            std::thread::sleep(core::time::Duration::from_secs(u64::from(self.value)));
        }
    }
}

#[interprocess_lock("lints-test/bus")]
fn borrowed<'text>(text: &'text str, other: &str) -> io::Result<(&'text str, usize)> {
    Ok((text, other.len()))
}

#[interprocess_lock("lints-test/{text}", info = "{mutable}", timeout = limit)]
fn captured(
    text: String,
    mut mutable: String,
    limit: core::time::Duration,
) -> io::Result<(String, String)> {
    mutable.push('x');
    Ok((text, mutable))
}

#[interprocess_lock("lints-test/bus")]
fn with_lints_on_arguments(
    #[expect(unused_variables, reason = "that is the test")] unused: u32,
    #[expect(unused_variables, reason = "that is the test")] (a, b): (u32, u32),
    count: u32,
) -> io::Result<u32> {
    Ok(count)
}

/// For those who write `return`.
#[deny(clippy::implicit_return)]
#[allow(clippy::needless_return, clippy::allow_attributes, reason = "that is the test")]
mod with_returns {
    use super::*;

    #[interprocess_lock("lints-test/bus")]
    pub(super) fn moved(text: String, (left, _): (String, String)) -> io::Result<String> {
        return Ok(text + &left);
    }

    #[interprocess_lock("lints-test/bus", on_recover = |_| {}, or_else = |_| return String::new())]
    pub(super) fn handled(text: String) -> String {
        return text;
    }
}

/// How long to wait.
pub const PATIENCE: core::time::Duration = core::time::Duration::from_secs(2);

/// A port of many.
#[derive(Debug)]
pub struct Port {
    number: u8,
    resets: u8,
}

/// Every method takes the lock.
#[interprocess_lock("lints-test/port-{self.number:02}", timeout = PATIENCE, reentrant)]
impl Port {
    /// How many there are.
    pub const COUNT: u8 = 4;

    /// Makes one.
    #[must_use]
    #[interprocess_lock(skip)]
    pub const fn new(number: u8) -> Self {
        Self { number, resets: 0 }
    }

    /// Reads.
    ///
    /// # Errors
    /// If the lock cannot be had.
    pub fn read(&mut self, _unused: u8) -> io::Result<u8> {
        self.add(1)
    }

    fn add(&self, value: u8) -> io::Result<u8> {
        Ok(self.number.saturating_add(value))
    }

    /// Says how many times it was reset.
    #[must_use]
    #[interprocess_lock(
        ["lints-test/{channel}", BUS, "lints-test/port"],
        info = "reads {channel} of {self.number} for {who}",
        or_else = |_error| fallback,
        on_recover = |_dead| { self.resets = self.resets.saturating_add(1); },
    )]
    pub fn resets(&mut self, channel: u8, who: &str, fallback: u8) -> u8 {
        self.resets
    }
}

/// Reads in a task.
///
/// # Errors
/// If the lock cannot be had.
#[cfg(feature = "async")]
#[interprocess_lock("lints-test/task-{bus}", info = "reads {bus}", on_recover = |_dead| {})]
pub async fn read_in_task(bus: u8, mut value: u8, (more, _): (u8, u8)) -> io::Result<u8> {
    futures_lite::future::yield_now().await;
    value = value.saturating_add(more);
    Ok(value)
}

#[cfg(feature = "async")]
#[test]
fn annotated_tasks_do_as_without() -> io::Result<()> {
    assert_eq!(futures_lite::future::block_on(read_in_task(1, 2, (3, 4)))?, 5);
    Ok(())
}

#[test]
fn annotated_blocks_do_as_without() -> io::Result<()> {
    let mut port = Port::new(1);
    assert_eq!(port.read(0)?, 2);
    assert_eq!(port.resets(Port::COUNT, "nobody", 9), 0);
    Ok(())
}

#[test]
fn annotated_functions_do_as_without() -> io::Result<()> {
    let mut driver = Driver { value: 1 };
    let texts = captured("a".to_owned(), "b".to_owned(), PATIENCE)?;
    assert_eq!(texts, ("a".to_owned(), "bx".to_owned()));
    driver.add(1, 2, (3, 4))?;
    assert_eq!(driver.read()?, 7);
    assert!(driver.fail("text").is_err());
    assert_eq!(driver.into_value(0, 0, ())?, (7, ()));
    assert_eq!(borrowed("text", "?")?, ("text", 1));
    assert_eq!(with_lints_on_arguments(0, (1, 2), 3)?, 3);
    let text = || "a".to_owned();
    assert_eq!(with_returns::moved(text(), (text(), text()))?, "aa");
    assert_eq!(with_returns::handled(text()), "a");
    Ok(())
}
