//! The driver: what a user of lockattr writes, once for each kind of lock. It talks to a real bus.

use std::path::PathBuf;

use linux_embedded_hal::I2cdev;
use linux_embedded_hal::i2cdev::core::I2CDevice;
use lockattr::interprocess_lock;

pub(crate) const ADDRESS: u16 = 0x48;
const REGISTER: u8 = 0;

/// What a driver's functions return here. The attribute asks that it is made of a `LockError`.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A chip with a register that counts.
pub(crate) struct Chip {
    bus: I2cdev,
    path: PathBuf,
}

impl Chip {
    pub(crate) fn open(path: &str) -> Result<Self> {
        let mut bus = I2cdev::new(path)?;
        bus.set_slave_address(ADDRESS)?;
        Ok(Self { bus, path: path.into() })
    }

    // The calls of SMBus, as i2c-stub has no others. An I2C adapter has them, too.

    pub(crate) fn count(&mut self) -> Result<u16> {
        Ok(self.bus.smbus_read_word_data(REGISTER)?)
    }

    pub(crate) fn set_count(&mut self, count: u16) -> Result {
        Ok(self.bus.smbus_write_word_data(REGISTER, count)?)
    }

    /// A read-modify-write, as a driver does it that knows nothing of locks. If another process adds in between, what it
    /// has written is overwritten.
    pub(crate) fn add_unlocked(&mut self) -> Result {
        let count = self.count()?;
        self.set_count(count + 1)
    }

    #[interprocess_lock(device = "{self.path}", timeout = "60s")]
    pub(crate) fn add_by_device(&mut self) -> Result {
        self.add_unlocked()
    }

    #[interprocess_lock("example-i2c-register", timeout = "60s")]
    pub(crate) fn add_by_port(&mut self) -> Result {
        self.add_unlocked()
    }

    #[interprocess_lock("example-i2c-register", backend = "semaphore", timeout = "60s")]
    pub(crate) fn add_by_semaphore(&mut self) -> Result {
        self.add_unlocked()
    }

    #[interprocess_lock("example-i2c-register", backend = "tcp", timeout = "60s")]
    pub(crate) fn add_by_tcp(&mut self) -> Result {
        self.add_unlocked()
    }
}
