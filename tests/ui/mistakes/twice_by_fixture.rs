use lockattr::interprocess_lock;

struct Sensor;

// What `#[fixture]` makes of a function `sensor` that has the attribute below it.
impl Sensor {
    #[doc(hidden)]
    #[allow(unused_mut)]
    #[interprocess_lock("i2c-1")]
    pub fn get(bus: u8) -> std::io::Result<u8> {
        sensor(bus)
    }
}

fn sensor(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    Sensor::get(1).unwrap();
}
