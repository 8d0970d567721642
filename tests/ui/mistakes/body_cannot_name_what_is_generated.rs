use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read((a, b): (String, String)) -> std::io::Result<String> {
    drop(__guard);
    drop(__error);
    drop(__arg0);
    let _ = &__LOCKATTR;
    __lockattr::nothing();
    Ok(a + &b)
}

fn main() {
    read((String::new(), String::new())).unwrap();
}
