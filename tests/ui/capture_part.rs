use lockattr::interprocess_lock;

#[interprocess_lock("i2c-{low}")]
fn read((low, high): (String, String)) -> std::io::Result<String> {
    Ok(low + &high)
}

fn main() {
    read((String::new(), String::new())).unwrap();
}
