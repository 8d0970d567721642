use lockattr::interprocess_lock;

const BUS: u32 = 1;

#[interprocess_lock(BUS)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}
