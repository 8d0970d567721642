use lockattr::interprocess_lock;

struct Bme280;

#[interprocess_lock("i2c-1")]
impl Bme280 {
    fn new() -> Self {
        Self
    }

    fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    Bme280::new().read().unwrap();
}
