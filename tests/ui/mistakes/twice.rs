use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
#[interprocess_lock("i2c-1", timeout = "2s")]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
