use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", info = "register {register}")]
fn read(register: u8) -> std::io::Result<u8> {
    Ok(register)
}

fn main() {
    read(1).unwrap();
}
