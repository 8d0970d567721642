use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", or_else = || None)]
fn read(bus: u8) -> Option<u8> {
    Some(bus)
}

fn main() {
    read(1).unwrap();
}
