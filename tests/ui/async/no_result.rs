use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
async fn read() -> u8 {
    1
}

fn main() {
    drop(read());
}
