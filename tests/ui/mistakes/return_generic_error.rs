use lockattr::interprocess_lock;

trait Bus {
    type Error;
    fn read(&mut self) -> Result<u8, Self::Error>;
}

struct Driver<B>(B);

impl<B: Bus> Driver<B> {
    #[interprocess_lock("i2c-1")]
    fn read(&mut self) -> Result<u8, B::Error> {
        self.0.read()
    }
}

fn main() {}
