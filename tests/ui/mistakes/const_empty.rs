use lockattr::interprocess_lock;

const BUS: &str = "";

#[interprocess_lock(BUS)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
