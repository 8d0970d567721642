#![deny(dead_code, unused_variables)]

use lockattr::interprocess_lock;

struct Bme280;

#[interprocess_lock("i2c-1")]
impl Bme280 {
    fn read(&self, register: u8) -> std::io::Result<u8> {
        let value = 1;
        Ok(1)
    }

    fn never_called(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    Bme280.read(1).unwrap();
}
