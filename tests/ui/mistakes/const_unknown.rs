use lockattr::interprocess_lock;

mod names {
    pub const BUS: &str = "i2c-1";
}

#[interprocess_lock(names::BUSS)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
