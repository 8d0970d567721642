use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read(n: u32) -> std::io::Result<String> {
    if n == 0 {
        return 1;
    }
    Ok(n)
}

fn main() {
    read(0).unwrap();
}
