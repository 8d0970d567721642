//! A bus with its lock.

use std::time::Duration;

use lockattr_runtime::Lock;

use crate::Error;

/// A bus, or a device on one, of which each call holds a lock.
///
/// It implements [`I2c`](embedded_hal::i2c::I2c) where the bus does, and
/// [`SpiDevice`](embedded_hal::spi::SpiDevice) where the device does. See the [crate](crate) for sequences.
///
/// ```
/// use embedded_hal::i2c::I2c;
/// use lockattr::Lock;
/// use lockattr_hal::Shared;
///
/// static BUS: Lock = Lock::port("doc-hal-shared");
///
/// /// A driver that knows nothing of locks.
/// struct Thermometer<I2C>(I2C);
///
/// impl<I2C: I2c> Thermometer<I2C> {
///     fn raw(&mut self) -> Result<[u8; 2], I2C::Error> {
///         let mut reply = [0; 2];
///         self.0.write_read(0x48, &[0x00], &mut reply)?;
///         Ok(reply)
///     }
/// }
/// # use embedded_hal::i2c::{ErrorType, Operation};
/// # struct Bus;
/// # impl ErrorType for Bus { type Error = std::convert::Infallible; }
/// # impl I2c for Bus {
/// #     fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), Self::Error> { Ok(()) }
/// # }
/// # let bus = Bus;
///
/// let mut thermometer = Thermometer(Shared::new(bus, &BUS));
/// assert_eq!(thermometer.raw().unwrap(), [0, 0]);
/// ```
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
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lockattr::Lock;
    /// # use lockattr_hal::Shared;
    /// # static BUS: Lock = Lock::port("doc-hal-timeout");
    /// # let bus = ();
    /// let bus = Shared::new(bus, &BUS).timeout(Duration::from_millis(200));
    /// ```
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The lock that each call holds.
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// # use lockattr_hal::Shared;
    /// # static BUS: Lock = Lock::port("doc-hal-lock");
    /// # let bus = Shared::new((), &BUS);
    /// let sequence = bus.lock().with().reentrant().acquire()?;
    /// // The calls of this thread are one hold.
    /// drop(sequence);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub const fn lock(&self) -> &'static Lock {
        self.lock
    }

    /// The bus, without the lock.
    ///
    /// ```
    /// # use lockattr::Lock;
    /// # use lockattr_hal::Shared;
    /// # static BUS: Lock = Lock::port("doc-hal-into-inner");
    /// let bus = Shared::new("what talks to the bus", &BUS);
    /// assert_eq!(bus.into_inner(), "what talks to the bus");
    /// ```
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
