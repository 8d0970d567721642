//! An I2C bus under a lock.

use embedded_hal::i2c::{AddressMode, ErrorType, I2c, Operation};

use crate::{Error, Shared};

impl<T: ErrorType> ErrorType for Shared<T> {
    type Error = Error<T::Error>;
}

/// Each call is passed on as it is: a bus may have more than `transaction` of its own.
impl<A: AddressMode, T: I2c<A>> I2c<A> for Shared<T> {
    #[track_caller]
    fn transaction(
        &mut self,
        address: A,
        operations: &mut [Operation<'_>],
    ) -> Result<(), Self::Error> {
        self.call(|bus| bus.transaction(address, operations))
    }

    #[track_caller]
    fn read(&mut self, address: A, read: &mut [u8]) -> Result<(), Self::Error> {
        self.call(|bus| bus.read(address, read))
    }

    #[track_caller]
    fn write(&mut self, address: A, write: &[u8]) -> Result<(), Self::Error> {
        self.call(|bus| bus.write(address, write))
    }

    #[track_caller]
    fn write_read(&mut self, address: A, write: &[u8], read: &mut [u8]) -> Result<(), Self::Error> {
        self.call(|bus| bus.write_read(address, write, read))
    }
}
