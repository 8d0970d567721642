use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read(Some(n): Option<u32>) -> std::io::Result<u32> {
    Ok(n)
}

fn main() {
    read(None).unwrap();
}
