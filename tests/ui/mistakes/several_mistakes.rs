use lockattr::interprocess_lock;

#[interprocess_lock("", timeout = 2, timout = "2s", info = "{", colour)]
const fn read() -> Result<(), lockattr::LockError> {
    Ok(())
}

fn main() {
    read().unwrap();
}
