use lockattr::interprocess_lock;

#[interprocess_lock]
#[interprocess_lock]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
