//! The attribute of [lockattr](https://docs.rs/lockattr): use it from there.

mod annotate;
mod args;
mod arguments;
mod backend;
mod block;
mod captures;
mod cfg_attr;
mod device;
mod duration;
mod enter;
mod errors;
mod expand;
mod function;
mod future;
mod instead;
mod item;
mod later;
mod mode;
mod name;
mod option;
mod peel;
mod renamed;
mod rules;
mod suggest;
mod text;
mod timeout;
mod twice;
mod validate;

#[cfg(test)]
mod tests;

use annotate::annotate;

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
///         // … no other process talks on the bus here …
///         Ok(f32::from(self.raw) / 16.0)
///     }
/// }
/// # assert_eq!(Bme280 { raw: 336 }.read_temperature()?, 21.0);
/// # Ok::<_, io::Error>(())
/// ```
///
/// If the lock cannot be had, the body does not run, and the function returns its own error, made from
/// a [`LockError`]. So it returns a `Result<T, E>` with an `E: From<LockError>`, under whatever
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
/// Where the function's error is not yours, or several methods of a block return different ones, `or_else`
/// says what is returned, see [below](#other-errors).
///
/// # The lock's name
///
/// It stands first. Equal names are one lock, in any function of any process, if their `backend` is the
/// same.
///
/// | written as | the name is |
/// | --- | --- |
/// | `#[interprocess_lock("i2c-1")]` | this text; `{{` and `}}` stand for braces |
/// | `#[interprocess_lock(names::I2C_1)]` | the value of a `const` of type `&'static str` |
/// | `#[interprocess_lock(concat!("i2c-", 1))]` | what a macro makes that a `static` takes: `concat!`, `env!`, `stringify!` |
/// | `#[interprocess_lock("i2c-{bus}")]` | made from the arguments, see below |
/// | `#[interprocess_lock(["i2c-1", "gpio-17"])]` | several locks, all of them, see below |
/// | `#[interprocess_lock(device = "/dev/ttyUSB0")]` | that of a device, [see below](#a-device) |
/// | `#[interprocess_lock]` | the module's path and the function's name, `sensord::bme280::read`; on an `impl` block, the type's name |
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
/// A const of a generic type, `Self::NAME` or `T::NAME`, is one name for each type. Its lock can be no static
/// and is found by its name at each call; so is one of a type whose name has no lower-case letter, such as
/// `I2C::NAME`, which may be a parameter of the `impl` around.
///
/// What a name may be depends on the backend, and is checked by the compiler, or, for a const of a generic
/// type, when the lock is taken:
///
/// | backend | its names |
/// | --- | --- |
/// | `"port"`, the default | have 1 to 97 bytes, and no NUL among them |
/// | `"tcp"` | have 1 to 250 bytes and no NUL |
/// | `"semaphore"` | have 1 to 250 bytes, no NUL, and no `/` but a leading one, which is dropped; are not `.` or `..`, and do not begin with `sem.` or `lockattr.` |
///
/// ## From arguments
///
/// The braces capture what they do in `format!`, with the same formats, and fields too:
///
/// ```
/// # use std::io;
/// # use lockattr::interprocess_lock;
/// struct Adc {
///     bus: u8,
///     port: &'static str,
/// }
///
/// impl Adc {
///     #[interprocess_lock("i2c-{self.bus:02}", info = "reads channel {channel}")]
///     fn read(&mut self, channel: u8) -> io::Result<u8> {
///         Ok(channel)
///     }
///
///     #[interprocess_lock("{self.port}")]
///     fn reset(&mut self) -> io::Result<()> {
///         Ok(())
///     }
/// }
/// # let mut adc = Adc { bus: 1, port: "tty-adc" };
/// # adc.read(1)?;
/// # adc.reset()?;
/// # Ok::<_, io::Error>(())
/// ```
///
/// - What can be captured is what is in scope where the function starts: `self`, the arguments that
///   have a name (not the parts of a pattern that is taken apart under the lock), and consts, by their path
///   too: `"{Self::NAME}-{channel}"`. An unknown name is rustc's error, in the literal.
/// - A path to a file (`Path`, `PathBuf`, `OsStr`: an argument of such a type, or a field) shows as the text
///   that it is. If it is not UTF-8, the call fails with [`LockError::InvalidName`].
/// - The arguments are only borrowed: the body may move them.
/// - The text that stands there for certain is checked while compiling. The name itself is checked when
///   it is made: one that breaks a rule of its backend is [`LockError::InvalidName`], and the body does
///   not run.
/// - A process keeps ready what belongs to as many as 256 such names: a call with one of them allocates
///   nothing for it. With more names it lets go of those that nobody uses just now, and makes what
///   belongs to them anew when they come again.
/// - Every name leaves a record of a page in `/dev/shm`, for those who ask who held it last; with
///   `backend = "semaphore"` the semaphore too.
///
/// ## Several locks
///
/// `["i2c-1", "gpio-{pin}", names::RESET]` are taken in one order that all processes have, whatever the
/// order written, all within one timeout. If one cannot be had, none is kept. The same lock twice is a
/// compile error if both are written alike, and [`LockError::WouldDeadlock`] if a const or an argument
/// makes them so. If a body takes a second lock, all such bodies must take the two in the same order.
///
/// ## A device
///
/// `device = "/dev/ttyUSB0"` in the place of a name takes the lock of that device: one lock, whatever path leads to it.
/// What is captured may be a path to a file. [`LockError::NoDevice`] if there is none, and the body does not run. While it waits, a
/// program that has locked the device by `flock(2)` or by a UUCP lock file counts as its holder, and a timeout names it.
/// Nothing is opened for that. [`Lock::device`] says more.
///
/// `join` keeps such programs out while the body runs: a descriptor of the opened device, anything `AsFd`, gets an exclusive
/// flock (picocom, tio, esptool, pyserial), and `"uucp"` makes the lock file (minicom). Both stand in a list:
/// `join = [self.port, "uucp"]`.
///
/// ```
/// use std::fs::File;
/// use std::io;
/// use std::path::PathBuf;
///
/// use lockattr::interprocess_lock;
///
/// struct Sensor {
///     path: PathBuf,
///     port: File,
/// }
///
/// impl Sensor {
///     #[interprocess_lock(device = "{self.path}", join = self.port)]
///     fn read(&mut self) -> io::Result<u8> {
///         Ok(0)
///     }
/// }
/// # let path = PathBuf::from("/dev/null");
/// # Sensor { port: File::open(&path)?, path }.read()?;
/// # Ok::<_, io::Error>(())
/// ```
///
/// # Options
///
/// They follow in any order.
///
/// | option | value | without it |
/// | --- | --- | --- |
/// | `timeout` | numbers with the units `h`, `m`, `s`, `ms`, `us`, the largest first: `"2s"`, `"1m30s"`, `"1.5s"`. `"0s"` tries once, `"none"` waits for ever. Or a `Duration`: a const, an argument or a field, `timeout = self.timeout` | `"1s"` |
/// | `backend` | what the lock is made of, see below: `"port"`, `"semaphore"` or `"tcp"` | `"port"` |
/// | `mode` | only with `backend = "semaphore"`: who may use the semaphore if this lock is the one that makes it, and whose files it may be beside one's own and root's. An octal number: `0o600` for its owner, with any bits of `0o060` for its group and of `0o006` for all others | `0o600` |
/// | `info` | text that those who wait are told about the holder; it captures as a name does. It is made before the lock is asked for, and cut: with captures after 512 bytes, without after some 3,500 | the function and where it stands: `crate::module::function (file:line)` |
/// | `reentrant` | none: a thread that holds the lock enters again | a nested call fails at once with [`LockError::WouldDeadlock`] |
/// | `or_else` | a closure or function `LockError -> ReturnType`: what the function returns if the lock cannot be had | the function returns a `Result`, see above |
/// | `on_recover` | a closure or function that takes a [`&Holder`], run before the body if the last holder died while it held the lock, or left it by a panic | nothing is done about it |
/// | `join` | only with `device`: a descriptor of the opened device, `"uucp"`, or both in a list; [see above](#a-device) | nothing is taken beside the lock |
/// | `eager` | none: a function that returns a future takes the lock while it makes the future, see [below](#async-fn) | such a function is an error, or takes the lock when the future runs |
/// | `crate` | the path of lockattr where it is not `::lockattr`, such as `crate = hal::lockattr` or `crate = "hal::lockattr"` | `::lockattr` |
///
/// A `"port"` is a unix socket: waiters are served first come, first served, and the kernel frees the
/// lock when its holder dies. A `"semaphore"` is one of POSIX: it takes no system call where nobody
/// else wants it, and a waiter frees it when its holder has died. A `"tcp"` lock is two of three TCP ports, as
/// k3portlock takes them where it has no unix sockets. [`Backend`] says more of all. All who share a lock must use the same one:
///
/// ```no_run
/// # use std::io;
/// # use lockattr::interprocess_lock;
/// #[interprocess_lock("spi-0", backend = "semaphore", mode = 0o660)]
/// fn transfer(byte: u8) -> io::Result<u8> {
///     Ok(byte)
/// }
/// # transfer(1)?;
/// # Ok::<_, io::Error>(())
/// ```
///
/// `or_else` may use the arguments. It is for functions that return no `Result`, or that skip their
/// work when the hardware is busy:
///
/// ```
/// use lockattr::interprocess_lock;
///
/// #[interprocess_lock("status-led", timeout = "0s", or_else = |_busy| false)]
/// fn blink(times: u32) -> bool {
///     times > 0
/// }
/// # assert!(blink(1));
/// ```
///
/// ## Other errors
///
/// An error type of your own needs `From<LockError>` once, and [`LockError`] is `Clone` and `PartialEq` where
/// it is too. A type of another crate, or a generic one (`Result<T, I2C::Error>`), cannot have it: put it into
/// an enum of your own, or say in `or_else` what stands for a lock that is not free. In a block whose methods
/// return different types, `or_else` may be a generic function, and a method that gives `self` back uses it
/// there:
///
/// ```
/// use lockattr::{interprocess_lock, LockError};
///
/// #[derive(Debug, PartialEq)]
/// enum Error<E> {
///     Bus(E),
///     Busy,
/// }
///
/// fn busy<T, E>(_: LockError) -> Result<T, Error<E>> {
///     Err(Error::Busy)
/// }
///
/// struct Idle;
/// struct Running;
///
/// #[interprocess_lock("adc-1", or_else = busy)]
/// impl Idle {
///     fn read(&mut self) -> Result<u16, Error<u8>> {
///         Ok(7)
///     }
///
///     fn name(&self) -> Result<&str, Error<()>> {
///         Ok("adc")
///     }
///
///     #[interprocess_lock("adc-1", or_else = |_| Err((Error::Busy, self)))]
///     fn start(self) -> Result<Running, (Error<u8>, Self)> {
///         Ok(Running)
///     }
/// }
/// # assert_eq!(Idle.read(), Ok(7));
/// # assert_eq!(Idle.name(), Ok("adc"));
/// # assert!(Idle.start().is_ok());
/// ```
///
/// ## `on_recover`
///
/// `on_recover` brings in order what a crashed program left behind. It returns nothing, or a
/// `Result<(), E>` whose error becomes the function's as by `?`; then the body does not run, and the
/// next holder recovers. The same if it panics. It runs under the lock and may use the arguments, as
/// the body may; with several locks it runs for each that needs it. A thread that enters again does not
/// recover.
///
/// A panic that leaves the body counts like a death: the next holder's `on_recover` is told so
/// ([`Tenure::Abandoned`]). A panic that began before the lock was taken does not, as with the poison of
/// `std::sync::Mutex`. In a function without `on_recover` a panic gives the lock back like any other end. By
/// hand, [`guard.abandon_on_panic()`] asks for the same, and [`guard.abandon()`] says it outright.
///
/// It hears of deaths by the lock's record. Where a port lock's record cannot be written, a function with
/// `on_recover` fails ([`LockError::Io`]), and its body does not run.
///
/// ```
/// use std::io;
/// use lockattr::{interprocess_lock, Holder};
///
/// struct Bus;
///
/// impl Bus {
///     #[interprocess_lock("i2c-1", on_recover = |dead| self.reset(dead))]
///     fn read(&mut self) -> io::Result<u8> {
///         Ok(0)
///     }
///
///     fn reset(&mut self, dead: &Holder) -> io::Result<()> {
///         eprintln!("{dead}; the bus is reset");
///         Ok(())
///     }
/// }
/// # Bus.read()?;
/// # Ok::<_, io::Error>(())
/// ```
///
/// # Where it may stand
///
/// On functions and methods that have a body and are not `const`: free ones, inherent ones, those of a
/// trait's `impl`, a trait's default methods; generic, `unsafe`, `async` or `extern "C"`. Twice on one function
/// it takes both locks; the same lock twice is a compile error.
///
/// ## Beside other attributes
///
/// Put it last, directly above `fn` or `impl`; above `#[napi]`, `#[ext]` and `#[fixture]`. The attributes above it then do
/// to the function what they do to any other, and those that copy attributes onto what they generate copy
/// none of this. Tried:
///
/// | macro | order |
/// | --- | --- |
/// | `async_trait` | any, on the methods and on the whole `impl` |
/// | `tracing::instrument` | any; above, the span has the time of waiting in it |
/// | `tokio::test`, `#[test]` | any |
/// | `contracts::requires`, `ensures` | any; above, they are checked without the lock |
/// | `rstest`, `test_case` | last |
/// | `auto_impl` | last, on a provided method |
/// | `delegate` | on the method that is delegated to |
/// | `maybe_async` | last; or on a whole `impl` that has such methods |
/// | `easy_ext::ext`, `rstest::fixture` | first |
/// | `napi` | first; for methods, on the whole `impl`, above its `#[napi]` |
/// | `mockall::automock` | not on the same function: on the driver that uses the mock |
///
/// ## A whole `impl` block
///
/// ```
/// use std::io;
/// use lockattr::interprocess_lock;
///
/// struct Adc(u8);
///
/// #[interprocess_lock("i2c-1", timeout = "2s", reentrant)]
/// impl Adc {
///     #[interprocess_lock(skip)]
///     const fn new() -> Self {
///         Self(0)
///     }
///
///     fn read_all(&mut self) -> io::Result<[u8; 2]> {
///         Ok([self.read()?, self.read()?])
///     }
///
///     fn read(&mut self) -> io::Result<u8> {
///         self.0 += 1;
///         Ok(self.0)
///     }
/// }
/// # assert_eq!(Adc::new().read_all()?, [1, 2]);
/// # Ok::<_, io::Error>(())
/// ```
///
/// Every method takes the lock, with the options given, but those under `#[interprocess_lock(skip)]`. A
/// method with an attribute of its own has that one's lock and options, and none of the block's; in a
/// `cfg_attr` too. The block knows it by its name: imported under another one, it is a compile error.
/// Without a name the block has one lock, `module::path::Type`, also a trait's `impl` for that type. If
/// methods call each other, give the option `reentrant`: without it the inner call fails with
/// [`LockError::WouldDeadlock`].
///
/// What the block's arguments capture, every method that takes the lock must have: `"i2c-{self.bus}"` wants
/// a `self`, and an `on_recover` that changes it a `&mut self`.
///
/// ## `async fn`
///
/// With lockattr's feature `async`, and on any executor: waiting blocks no thread, the lock is held
/// across each `await`, and a future that is dropped gives the lock back, or leaves the queue. The
/// future is `Send` if the body's is. `reentrant` is an error here, since a task belongs to no thread.
/// A task that waits for a lock which it holds itself waits until the timeout.
///
/// Methods under `#[async_trait]` are `async fn`s to it as well, and so is a function whose whole body
/// is an `async` block, or a boxed one (`Box::pin(async move { … })`, `async { … }.boxed()`): the lock is
/// taken when the future runs. Any other function whose type says that it returns a future is a compile
/// error, for the lock would be given back before the future runs. With `eager` the lock is held while the
/// future is made, and no longer.
///
/// The same holds for all that is evaluated later, and is not told by its type: an iterator in an
/// `io::Result<impl Iterator>`, a stream, a closure. What they do they do after the lock was given back.
///
/// # How long the lock is held
///
/// From before the first statement of the body until the function is left, by its end, by `return`, by
/// `?` or by a panic. What the body made is dropped before the lock is given back, temporaries of its
/// last expression too, and so are arguments taken by value. One thing is not: `self` taken by value,
/// if the body does not move it, is dropped after the lock was given back. Move it (`let this = self;`)
/// if its `drop` uses the hardware.
///
/// # The place that others are told
///
/// Without `info` others are told the function, and the file and line where its name stands. Where the
/// function is `#[track_caller]`, it is the place that it was called from, as everywhere in Rust.
///
/// # What it expands to
///
/// ```text
/// #[interprocess_lock("i2c-1", timeout = "2s", on_recover = Self::reset)]
/// fn read(&mut self, register: u8, buffer: Vec<u8>) -> Result<f32, SensorError> { BODY }
/// ```
///
/// becomes
///
/// ```text
/// fn read(&mut self, register: u8, buffer: Vec<u8>) -> Result<f32, SensorError> {
///     match {
///         use ::lockattr::__private as __lockattr;
///         static __LOCKATTR: __lockattr::Lock = __lockattr::Lock::port("i2c-1");
///         __lockattr::enter(
///             &__LOCKATTR,
///             __lockattr::Options { timeout: __lockattr::Duration::new(2u64, 0u32), … },
///             __lockattr::concat!(__lockattr::module_path!(), "::read"),
///         )
///     } {
///         ::core::result::Result::Ok(mut __guard) => {
///             let buffer = buffer;
///             match {
///                 use ::lockattr::__private as __lockattr;
///                 __lockattr::recover(&mut __guard, Self::reset)
///             } {
///                 ::core::result::Result::Ok(()) => { BODY }
///                 ::core::result::Result::Err(__outcome) => return __outcome,
///             }
///         }
///         ::core::result::Result::Err(__error) => {
///             use ::lockattr::__private as __lockattr;
///             return __lockattr::fail(__error)
///         }
///     }
/// }
/// ```
///
/// with local names that the body cannot see. The inner `match` is where temporaries of the body's last
/// expression end: before the arguments, and before the guard. Arguments that have nothing to drop, as
/// references and numbers, stay where they are. Nothing in `__private` is for use by
/// hand; [`Lock`] does the same.
///
/// [`LockError`]: https://docs.rs/lockattr/latest/lockattr/enum.LockError.html
/// [`Lock`]: https://docs.rs/lockattr/latest/lockattr/struct.Lock.html
/// [`Lock::device`]: https://docs.rs/lockattr/latest/lockattr/struct.Lock.html#method.device
/// [`Backend`]: https://docs.rs/lockattr/latest/lockattr/enum.Backend.html
/// [`&Holder`]: https://docs.rs/lockattr/latest/lockattr/struct.Holder.html
/// [`Tenure::Abandoned`]: https://docs.rs/lockattr/latest/lockattr/enum.Tenure.html#variant.Abandoned
/// [`LockError::InvalidName`]: https://docs.rs/lockattr/latest/lockattr/enum.LockError.html#variant.InvalidName
/// [`LockError::WouldDeadlock`]: https://docs.rs/lockattr/latest/lockattr/enum.LockError.html#variant.WouldDeadlock
/// [`LockError::NoDevice`]: https://docs.rs/lockattr/latest/lockattr/enum.LockError.html#variant.NoDevice
/// [`LockError::Io`]: https://docs.rs/lockattr/latest/lockattr/enum.LockError.html#variant.Io
/// [`guard.abandon_on_panic()`]: https://docs.rs/lockattr/latest/lockattr/struct.LockGuard.html#method.abandon_on_panic
/// [`guard.abandon()`]: https://docs.rs/lockattr/latest/lockattr/struct.LockGuard.html#method.abandon
#[proc_macro_attribute]
pub fn interprocess_lock(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    annotate(args.into(), item.into()).into()
}
