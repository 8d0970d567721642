use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read(text: &str) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

fn main() {
    read("1").unwrap();
}
