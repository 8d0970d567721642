use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
pub struct Bme280;

fn main() {
    let _ = Bme280;
}
