use lockattr::interprocess_lock;

struct Bme280;

#[interprocess_lock("i2c-1")]
impl Bme280 {
    fn read(&self) -> std::io::Result<u8> {
        Ok("text")
    }
}

fn main() {
    Bme280.read().unwrap();
}
