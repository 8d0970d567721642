use lockattr::interprocess_lock;

struct Bme280;

#[interprocess_lock("i2c-1", reentrant)]
impl Bme280 {
    async fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    drop(Bme280.read());
}
