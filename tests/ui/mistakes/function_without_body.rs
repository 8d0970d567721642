use lockattr::interprocess_lock;

trait Sensor {
    #[interprocess_lock("i2c-1")]
    fn read(&self) -> std::io::Result<()>;
}

struct Bme280;

impl Sensor for Bme280 {
    fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    Bme280.read().unwrap();
}
