use lockattr::interprocess_lock;

struct Driver(u8);

#[interprocess_lock("i2c-{self.0}")]
impl Driver {
    fn open() -> std::io::Result<()> {
        Ok(())
    }

    fn read(&self) -> std::io::Result<u8> {
        Ok(self.0)
    }
}

fn main() {
    Driver::open().unwrap();
    Driver(1).read().unwrap();
}
