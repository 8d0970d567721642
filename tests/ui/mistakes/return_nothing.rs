use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read() {}

fn main() {
    read();
}
