use lockattr::interprocess_lock;

struct Driver {
    bus: u8,
}

impl Driver {
    #[interprocess_lock("i2c-{Self::BUS}")]
    fn read(&self) -> std::io::Result<u8> {
        Ok(self.bus)
    }
}

fn main() {
    Driver { bus: 1 }.read().unwrap();
}
