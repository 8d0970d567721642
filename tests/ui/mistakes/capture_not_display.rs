use lockattr::interprocess_lock;

struct Bus;

#[interprocess_lock("i2c-{bus}")]
fn read(bus: Bus) -> std::io::Result<()> {
    drop(bus);
    Ok(())
}

fn main() {
    read(Bus).unwrap();
}
