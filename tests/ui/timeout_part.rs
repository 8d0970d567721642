use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", timeout = patience)]
fn read((patience, _): (std::time::Duration, String)) -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read((std::time::Duration::ZERO, String::new())).unwrap();
}
