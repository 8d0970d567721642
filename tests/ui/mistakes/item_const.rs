use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
const BUS: u8 = 1;

fn main() {
    let _ = BUS;
}
