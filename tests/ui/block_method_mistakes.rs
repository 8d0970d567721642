use lockattr::interprocess_lock;

struct Bme280;

#[interprocess_lock("i2c-{low}")]
impl Bme280 {
    fn first((low, high): (u8, u8)) -> std::io::Result<u8> {
        Ok(low + high)
    }

    fn second((low, high): (u8, u8)) -> std::io::Result<u8> {
        Ok(low - high)
    }
}

fn main() {
    Bme280::first((1, 2)).unwrap();
    Bme280::second((1, 2)).unwrap();
}
