use lockattr::interprocess_lock;

#[interprocess_lock(name_of_bus())]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
