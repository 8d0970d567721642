use lockattr::interprocess_lock;

const BUS: &str = "sem.i2c-1";

#[interprocess_lock(BUS, backend = "semaphore", mode = 0o660)]
fn read(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
