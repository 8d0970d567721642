use lockattr::interprocess_lock;

#[interprocess_lock("i2c-{local}")]
fn read(bus: u8) -> std::io::Result<u8> {
    let local = bus;
    Ok(local)
}

fn main() {
    read(1).unwrap();
}
