use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read((a, b): (u32, u32)) -> std::io::Result<u32> {
    drop(__guard);
    drop(__error);
    drop(__arg0);
    let _ = &__LOCKATTR;
    __lockattr::nothing();
    Ok(a + b)
}

fn main() {
    read((1, 2)).unwrap();
}
