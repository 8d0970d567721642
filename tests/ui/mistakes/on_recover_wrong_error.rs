use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", on_recover = |_| Err("broken"))]
fn read(bus: u8) -> Result<u8, lockattr::LockError> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
