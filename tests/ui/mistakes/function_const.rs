use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
const fn read() -> Result<(), lockattr::LockError> {
    Ok(())
}

fn main() {
    read().unwrap();
}
