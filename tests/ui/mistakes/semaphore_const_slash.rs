use lockattr::interprocess_lock;

const BUS: &str = "bus/1";

#[interprocess_lock(BUS, backend = "semaphore")]
fn read(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
