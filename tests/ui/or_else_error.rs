use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", or_else = Err("busy"))]
fn read() -> Result<u8, &'static str> {
    Ok(1)
}

fn main() {
    read().unwrap();
}
