#![deny(dead_code)]

use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
