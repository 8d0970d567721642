use lockattr::interprocess_lock;

fn reset() {}

#[interprocess_lock("i2c-1", on_recover = reset)]
fn read(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
