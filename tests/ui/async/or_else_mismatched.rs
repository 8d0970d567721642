use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", or_else = |_| 0)]
async fn read() -> Option<u8> {
    Some(1)
}

fn main() {
    drop(read());
}
