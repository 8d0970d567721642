use lockattr::interprocess_lock;

#[derive(Debug)]
enum SensorError {
    Cold,
}

#[interprocess_lock("i2c-1")]
fn read() -> Result<f32, SensorError> {
    Err(SensorError::Cold)
}

fn main() {
    read().unwrap();
}
