use lockattr::interprocess_lock;

const MODE: u32 = 0o660;

#[interprocess_lock("i2c-1", backend = "semaphore", mode = MODE)]
fn read(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
