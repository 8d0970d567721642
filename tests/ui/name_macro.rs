use lockattr::interprocess_lock;

#[interprocess_lock(concat!("i2c", "-1"))]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
