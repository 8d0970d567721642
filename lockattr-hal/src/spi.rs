//! An SPI device under a lock.

use embedded_hal::spi::{ErrorType, Operation, SpiDevice};

use crate::{Error, Shared};

impl<T: ErrorType> ErrorType for Shared<T> {
    type Error = Error<T::Error>;
}

/// Each call is passed on as it is: a device may have more than `transaction` of its own.
impl<Word: Copy + 'static, T: SpiDevice<Word>> SpiDevice<Word> for Shared<T> {
    #[track_caller]
    fn transaction(&mut self, operations: &mut [Operation<'_, Word>]) -> Result<(), Self::Error> {
        self.call(|device| device.transaction(operations))
    }

    #[track_caller]
    fn read(&mut self, words: &mut [Word]) -> Result<(), Self::Error> {
        self.call(|device| device.read(words))
    }

    #[track_caller]
    fn write(&mut self, words: &[Word]) -> Result<(), Self::Error> {
        self.call(|device| device.write(words))
    }

    #[track_caller]
    fn transfer(&mut self, read: &mut [Word], write: &[Word]) -> Result<(), Self::Error> {
        self.call(|device| device.transfer(read, write))
    }

    #[track_caller]
    fn transfer_in_place(&mut self, words: &mut [Word]) -> Result<(), Self::Error> {
        self.call(|device| device.transfer_in_place(words))
    }
}
