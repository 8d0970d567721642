use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read() -> Result<u8, String> {
    Ok(1)
}

fn main() {
    read().unwrap();
}
