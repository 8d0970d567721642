use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", reentrant = true)]
fn read(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
