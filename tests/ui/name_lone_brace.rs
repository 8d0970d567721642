use lockattr::interprocess_lock;

#[interprocess_lock("i2c-}")]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
