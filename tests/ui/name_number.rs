use lockattr::interprocess_lock;

#[interprocess_lock(17)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
