use lockattr::interprocess_lock;

#[interprocess_lock("i2c-{low}")]
fn read((low, high): (u8, u8)) -> std::io::Result<u8> {
    Ok(low + high)
}

fn main() {
    read((1, 2)).unwrap();
}
