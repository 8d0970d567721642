use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", or_else = |_| Some(__error))]
fn read() -> Option<lockattr::LockError> {
    None
}

fn main() {
    read();
}
