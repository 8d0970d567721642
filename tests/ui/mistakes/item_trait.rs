use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
pub trait Sensor {
    fn read(&mut self) -> std::io::Result<u8>;
}

fn main() {}
