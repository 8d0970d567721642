use lockattr::interprocess_lock;

struct Config {
    bus: u8,
}

#[interprocess_lock("i2c-{config.buss}")]
fn read(config: Config) -> std::io::Result<u8> {
    Ok(config.bus)
}

fn main() {
    read(Config { bus: 1 }).unwrap();
}
