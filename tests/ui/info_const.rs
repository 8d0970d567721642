use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", info = names::WHAT)]
fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read().unwrap();
}

mod names {
    pub const WHAT: &str = "reads";
}
