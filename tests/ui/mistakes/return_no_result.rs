use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read() -> Option<Vec<u8>> {
    None
}

fn main() {
    let _ = read();
}
