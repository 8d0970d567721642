use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", timeout = seconds)]
fn read(seconds: u64) -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read(1).unwrap();
}
