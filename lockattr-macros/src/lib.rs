//! The attribute of [lockattr](https://docs.rs/lockattr): use it from there.

mod args;
mod arguments;
mod duration;
mod errors;
mod expand;
mod function;
mod name;
mod option;
mod suggest;
mod text;
mod timeout;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

/// Runs a function's body while it holds a lock that every process on the machine respects.
///
/// ```
/// use std::io;
/// use lockattr::interprocess_lock;
///
/// struct Bme280 {
///     raw: u16,
/// }
///
/// impl Bme280 {
///     #[interprocess_lock("i2c-1", timeout = "2s")]
///     fn read_temperature(&mut self) -> io::Result<f32> {
///         // … nobody else talks on the bus here …
///         Ok(f32::from(self.raw) / 16.0)
///     }
/// }
/// # assert_eq!(Bme280 { raw: 336 }.read_temperature()?, 21.0);
/// # Ok::<_, io::Error>(())
/// ```
///
/// If the lock cannot be had, the body does not run, and the function returns its own error, made from
/// a `lockattr::LockError`. So it returns a `Result<T, E>` with an `E: From<LockError>`, under whatever
/// alias: `io::Result<T>`, `anyhow::Result<T>`, `Result<T, Box<dyn Error + Send + Sync>>`, or your own:
///
/// ```
/// use lockattr::{interprocess_lock, LockError};
///
/// #[derive(Debug)]
/// enum SensorError {
///     Busy(LockError),
///     Cold,
/// }
///
/// impl From<LockError> for SensorError {
///     fn from(error: LockError) -> Self {
///         Self::Busy(error)
///     }
/// }
///
/// #[interprocess_lock("i2c-1", timeout = "250ms")]
/// fn read() -> Result<f32, SensorError> {
///     Err(SensorError::Cold)
/// }
/// # assert!(matches!(read(), Err(SensorError::Cold)));
/// ```
///
/// # The lock's name
///
/// It stands first. Equal names are one lock, in any function of any process. It has 1 to 97 bytes and
/// no NUL, which the compiler checks.
///
/// | written as | the name is |
/// | --- | --- |
/// | `#[interprocess_lock("i2c-1")]` | this text; `{{` and `}}` stand for braces |
/// | `#[interprocess_lock(names::I2C_1)]` | the value of a `const` of type `&'static str`; not through `Self`, for the lock is a static: `Driver::BUS` |
/// | `#[interprocess_lock]` | the module's path and the function's name, `sensord::bme280::read` |
///
/// Two methods of one name in one module have one derived name, whatever their types are.
///
/// ```
/// # use std::io;
/// # use lockattr::interprocess_lock;
/// const I2C_1: &str = "i2c-1";
///
/// #[interprocess_lock(I2C_1)]
/// fn read() -> io::Result<u8> {
///     Ok(0)
/// }
/// # read()?;
/// # Ok::<_, io::Error>(())
/// ```
///
/// # Options
///
/// They follow in any order.
///
/// | option | value | without it |
/// | --- | --- | --- |
/// | `timeout` | whole numbers with the units `h`, `m`, `s`, `ms`, `us`, the largest first: `"2s"`, `"1m30s"`, `"250ms"`. `"0s"` tries once, `"none"` waits for ever | `"1s"` |
/// | `info` | text that those who wait are told about the holder; `{{` and `}}` stand for braces | the place of the call: `crate::module::function (file:line)` |
/// | `crate` | the path of lockattr where it is not `::lockattr`, such as `crate = hal::lockattr` or `crate = "hal::lockattr"` | `::lockattr` |
///
/// # Where it may stand
///
/// On functions and methods that have a body and are neither `const` nor `async`: free ones, inherent
/// ones, those of a trait's `impl`, a trait's default methods; generic, `unsafe` or `extern "C"`.
///
/// # How long the lock is held
///
/// From before the first statement of the body until the function is left, by its end, by `return`,
/// by `?` or by a panic. What the body made is dropped before the lock is given back, temporaries of
/// its last expression too, and so are arguments taken by value. One thing is not: `self` taken by
/// value, if the body does not move it, is dropped after the lock was given back. Move it
/// (`let this = self;`) if its `drop` uses the hardware.
///
/// A thread that holds the lock and calls a function that takes it again gets
/// `LockError::WouldDeadlock`, at once.
///
/// # The place of the call
///
/// The function becomes `#[track_caller]`, so that the place that others are told is where it was called
/// from. That has a price: panics that arise in the body itself (`unwrap`, `panic!`, an index out of
/// bounds) are reported at the line of the call too; a backtrace (`RUST_BACKTRACE=1`) still has theirs.
/// With `info = "…"` the function stays as it is. Functions that Rust permits no `#[track_caller]` on
/// (another ABI than Rust's, `main`) tell the place of their attribute.
///
/// # What it expands to
///
/// ```
/// # struct SensorError;
/// # impl From<lockattr::LockError> for SensorError {
/// #     fn from(_: lockattr::LockError) -> Self { Self }
/// # }
/// use std::time::Duration;
/// use lockattr::Lock;
///
/// // #[interprocess_lock("i2c-1", timeout = "2s")]
/// #[track_caller]
/// fn read(register: u8) -> Result<f32, SensorError> {
///     match {
///         static LOCK: Lock = Lock::port("i2c-1");
///         LOCK.acquire(Duration::from_secs(2))
///     } {
///         Ok(_guard) => {
///             let register = register;
///             match () {
///                 () => {
///                     // … the body, as it was written …
///                     # Ok(f32::from(register))
///                 }
///             }
///         }
///         Err(error) => Err(error.into()),
///     }
/// }
/// # assert!(read(1).is_ok());
/// ```
///
/// with names that the body cannot see. The inner `match` is where temporaries of the body's last
/// expression end: before the arguments, and before the guard.
#[proc_macro_attribute]
pub fn interprocess_lock(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    annotate(args.into(), &item.into()).into()
}

/// Parse, validate, expand. After a mistake the item comes out as it was, beside the messages, so that
/// its callers still find it.
fn annotate(args: TokenStream, item: &TokenStream) -> TokenStream {
    let args = args::Args::parse(args);
    let function = syn::parse2(item.clone()).and_then(validate::function);
    match errors::both(args, function).and_then(validate::plan) {
        Ok(plan) => expand::expand(plan),
        Err(error) => {
            let messages = error.into_compile_error();
            quote::quote!(#item #messages)
        }
    }
}
