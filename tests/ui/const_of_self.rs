use lockattr::interprocess_lock;

struct Driver;

impl Driver {
    const BUS: &'static str = "i2c-1";

    #[interprocess_lock(Self::BUS)]
    fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    Driver.read().unwrap();
    let _ = Driver::BUS;
}
