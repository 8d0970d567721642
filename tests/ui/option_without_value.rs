use lockattr::interprocess_lock;

#[interprocess_lock(timeout)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
