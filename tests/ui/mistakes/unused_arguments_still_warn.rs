#![deny(warnings)]

use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read(
    used: String,
    unused: String,
    mut never_changed: String,
    (half, rest): (String, String),
) -> std::io::Result<String> {
    Ok(used + &never_changed + &half)
}

fn main() {
    let text = String::new;
    read(text(), text(), text(), (text(), text())).unwrap();
}
