use lockattr::interprocess_lock;

struct Bme280;

#[interprocess_lock("", timout = "2s")]
impl Bme280 {
    const fn new() -> Self {
        Self
    }

    const fn other() {}

    #[interprocess_lock(skip)]
    fn third(&self) {}

    fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    Bme280::new().read().unwrap();
    Bme280::other();
    Bme280.third();
}
