//! The driver: what a user of lockattr writes. It is generic over its bus.

use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use embedded_hal::i2c::I2c;
use lockattr::{LockError, interprocess_lock};

const ADDRESS: u8 = 0x48;
const CONVERSION_TIME: Duration = Duration::from_millis(1);

/// An analog-to-digital converter of four inputs.
pub(crate) struct Adc<I2C> {
    i2c: I2C,
}

impl<I2C: I2c> Adc<I2C> {
    pub(crate) fn new(i2c: I2C) -> Self {
        Self { i2c }
    }

    /// Converts an input. No other process uses the bus meanwhile.
    #[interprocess_lock("example-i2c-1", timeout = "10s")]
    pub(crate) fn read(&mut self, input: u8) -> Result<u16, Error<I2C::Error>> {
        self.convert(input)
    }

    /// As [`read`](Self::read), as a driver does it that knows nothing of locks.
    pub(crate) fn read_unlocked(&mut self, input: u8) -> Result<u16, Error<I2C::Error>> {
        self.convert(input)
    }

    fn convert(&mut self, input: u8) -> Result<u16, Error<I2C::Error>> {
        self.i2c.write(ADDRESS, &[input]).map_err(Error::Bus)?;
        // Another process may use the bus here, and with it the converter.
        sleep(CONVERSION_TIME);
        let mut result = [0; 2];
        self.i2c.read(ADDRESS, &mut result).map_err(Error::Bus)?;
        Ok(u16::from_be_bytes(result))
    }
}

/// What can go wrong with the converter.
#[derive(Debug)]
pub(crate) enum Error<E> {
    Bus(E),
    Busy(LockError),
}

/// All that the attribute asks of an error type.
impl<E> From<LockError> for Error<E> {
    fn from(error: LockError) -> Self {
        Self::Busy(error)
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => write!(f, "the bus: {error:?}"),
            Self::Busy(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for Error<E> {}
