#![deny(warnings)]

use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read(
    used: u32,
    unused: u32,
    mut never_changed: u32,
    (half, rest): (u32, u32),
) -> std::io::Result<u32> {
    Ok(used + never_changed + half)
}

fn main() {
    read(1, 2, 3, (4, 5)).unwrap();
}
