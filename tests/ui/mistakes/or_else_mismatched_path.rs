use lockattr::interprocess_lock;

fn handle(_: lockattr::LockError) -> u8 {
    0
}

#[interprocess_lock("i2c-1", or_else = handle)]
fn read(bus: u8) -> Option<u8> {
    Some(bus)
}

fn main() {
    read(1).unwrap();
}
