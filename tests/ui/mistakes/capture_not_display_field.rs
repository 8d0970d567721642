use lockattr::interprocess_lock;

struct Bus;

struct Config {
    bus: Bus,
}

#[interprocess_lock("i2c-{config.bus}")]
fn read(config: Config) -> std::io::Result<()> {
    drop(config);
    Ok(())
}

fn main() {
    read(Config { bus: Bus }).unwrap();
}
