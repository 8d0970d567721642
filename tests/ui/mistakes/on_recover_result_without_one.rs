use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", or_else = |_| None, on_recover = |_| Err("broken"))]
fn read(bus: u8) -> Option<u8> {
    Some(bus)
}

fn main() {
    read(1).unwrap();
}
