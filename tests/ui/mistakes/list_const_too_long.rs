use lockattr::interprocess_lock;

const LONG: &str =
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678";

#[interprocess_lock(["i2c-1", LONG])]
fn read(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {
    read(1).unwrap();
}
