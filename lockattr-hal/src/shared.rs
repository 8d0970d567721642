//! A bus with its lock.

use std::time::Duration;

use lockattr_runtime::Lock;

use crate::Error;

/// A bus, or a device on one, of which each call holds a lock.
///
/// It implements [`I2c`](embedded_hal::i2c::I2c) where the bus does, and
/// [`SpiDevice`](embedded_hal::spi::SpiDevice) where the device does. See the [crate](crate) for sequences.
#[derive(Debug)]
pub struct Shared<T> {
    bus: T,
    lock: &'static Lock,
    timeout: Duration,
}

impl<T> Shared<T> {
    /// The timeout of the attribute, too.
    const TIMEOUT: Duration = Duration::from_secs(1);

    /// `bus`, of which each call waits for `lock` for a second at most.
    ///
    /// ```
    /// use lockattr::Lock;
    /// use lockattr_hal::Shared;
    ///
    /// static BUS: Lock = Lock::port("doc-hal-new");
    ///
    /// let bus = "what talks to the bus";
    /// assert_eq!(Shared::new(bus, &BUS).into_inner(), bus);
    /// ```
    ///
    /// The lock is a static, for the program to hold it itself during a sequence of calls. One that is made at run
    /// time can be leaked (`Box::leak`).
    pub const fn new(bus: T, lock: &'static Lock) -> Self {
        Self { bus, lock, timeout: Self::TIMEOUT }
    }

    /// For how long each call waits while others have the lock.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The lock that each call holds.
    #[must_use]
    pub const fn lock(&self) -> &'static Lock {
        self.lock
    }

    /// The bus, without the lock.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.bus
    }

    /// Calls the bus under the lock. A thread that holds it enters again.
    #[track_caller]
    pub(crate) fn call<R, E>(
        &mut self,
        call: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, Error<E>> {
        let _guard = self.lock.with().timeout(self.timeout).reentrant().acquire()?;
        call(&mut self.bus).map_err(Error::Bus)
    }
}
