use lockattr::{interprocess_lock, interprocess_lock as locked};

struct Driver;

#[interprocess_lock("i2c-1")]
impl Driver {
    #[locked("gpio-17")]
    fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    Driver.read().unwrap();
}
