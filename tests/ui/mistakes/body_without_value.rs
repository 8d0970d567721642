use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read(n: u32) -> std::io::Result<u32> {
    Ok(n);
}

fn main() {
    read(0).unwrap();
}
