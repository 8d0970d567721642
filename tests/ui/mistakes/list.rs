use lockattr::interprocess_lock;

#[interprocess_lock(["i2c-1", "gpio-17", "i2c-1"])]
fn double(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock(["i2c-{bus}", "i2c-{bus}"])]
fn double_capture(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

mod double_const {
    use super::interprocess_lock;

    const BUS: &str = "i2c-1";

    #[interprocess_lock([BUS, BUS])]
    fn read(bus: u8) -> std::io::Result<u8> {
        Ok(bus)
    }
}

#[interprocess_lock([])]
fn empty(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock(["", 1, "i2c-{}"])]
fn mistakes(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock(["i2c-1" "gpio-17"])]
fn no_comma(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock(["i2c-1",, "gpio-17"])]
fn two_commas() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
