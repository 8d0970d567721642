use lockattr::interprocess_lock;

#[interprocess_lock(device = "/dev/ttyUSB0")]
#[interprocess_lock(device = "/dev/ttyUSB0")]
fn read(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
