//! Any [`embedded_hal`] I2C bus or SPI device, shared between processes: a published driver runs
//! on it unchanged.
//!
//! ```
//! use std::time::Duration;
//!
//! use embedded_hal::i2c::I2c;
//! use lockattr::{Lock, LockError};
//! use lockattr_hal::Shared;
//! # struct I2cdev;
//! # impl I2cdev { fn new(_: &str) -> Result<Self, LockError> { Ok(Self) } }
//! # impl embedded_hal::i2c::ErrorType for I2cdev { type Error = std::convert::Infallible; }
//! # impl I2c for I2cdev {
//! #     fn transaction(&mut self, _: u8, _: &mut [embedded_hal::i2c::Operation<'_>]) -> Result<(), Self::Error> { Ok(()) }
//! # }
//!
//! static BUS: Lock = Lock::port("doc-hal-i2c-1");
//!
//! let mut bus = Shared::new(I2cdev::new("/dev/i2c-1")?, &BUS).timeout(Duration::from_secs(2));
//!
//! // One transfer: takes the lock, and gives it back.
//! bus.write(0x48, &[0x01]).unwrap();
//!
//! // A sequence that no other process comes into.
//! let sequence = BUS.with().reentrant().acquire()?;
//! bus.write(0x48, &[0x01]).unwrap();
//! let mut reply = [0; 2];
//! bus.read(0x48, &mut reply).unwrap();
//! drop(sequence);
//! # Ok::<_, LockError>(())
//! ```
//!
//! # What is one hold
//!
//! Each call of a driver takes the lock for itself: a `write`, a `read`, a `write_read`, a whole `transaction`. That keeps
//! it out of the sequences of programs that hold the lock for longer, as those under
//! [`interprocess_lock`](https://docs.rs/lockattr) do. Where the driver itself needs several calls for one result, hold the lock
//! around them, as above: calls of the thread that holds it enter again, and take nothing.
//!
//! All users of a bus must take part, by this wrapper, by the attribute or by hand, with one name and backend.
//!
//! # Errors
//!
//! A driver gets an [`Error`] with the bus's own error in it, or with the [`LockError`]. embedded-hal knows no kind of
//! error for a bus that is busy, so its `kind()` is `Other`.

mod error;
mod i2c;
mod shared;
mod spi;

pub use error::Error;
pub use lockattr_runtime::{Lock, LockError, LockGuard};
pub use shared::Shared;
