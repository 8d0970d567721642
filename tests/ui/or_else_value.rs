use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", or_else = Default::default())]
fn read() -> u8 {
    1
}

fn main() {
    read();
}
