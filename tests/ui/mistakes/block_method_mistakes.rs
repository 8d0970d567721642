use lockattr::interprocess_lock;

struct Bme280;

#[interprocess_lock("i2c-{low}")]
impl Bme280 {
    fn first((low, high): (String, String)) -> std::io::Result<String> {
        Ok(low + &high)
    }

    fn second((low, high): (String, String)) -> std::io::Result<String> {
        Ok(high + &low)
    }
}

fn main() {
    Bme280::first((String::new(), String::new())).unwrap();
    Bme280::second((String::new(), String::new())).unwrap();
}
