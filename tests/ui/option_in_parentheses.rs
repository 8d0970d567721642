use lockattr::interprocess_lock;

#[interprocess_lock(timeout("2s"))]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
