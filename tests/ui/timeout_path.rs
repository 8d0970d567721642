use lockattr::interprocess_lock;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

#[interprocess_lock("i2c-1", timeout = PATIENCE)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
