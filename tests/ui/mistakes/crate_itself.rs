use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", crate = crate)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
